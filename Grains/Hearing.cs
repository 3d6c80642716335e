using Microsoft.Extensions.Logging;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains;

/// <summary>
/// Hands hints to whoever listens in this process, if anyone. Found late: a listener knows the coordinators, and they know their hints.
/// Its failures are its own: it may serve a commit's caller or a connection to the database at that moment.
/// </summary>
internal sealed class Hearing(Lazy<IHintListener?> listener, ILogger<Hearing> log)
{
    public void Hear(Hint hint) => Tell(static (l, h) => l.Hear(h), hint);

    public void Missed() => Tell(static (l, _) => l.Missed(), true);

    public void Forgotten()
    {
        log.Forgotten();
        Tell(static (l, _) => l.Forgotten(), true);
    }

    private void Tell<T>(Action<IHintListener, T> tell, T what)
    {
        try
        {
            if (listener.Value is { } one) tell(one, what);
        }
        catch (Exception bug)
        {
            log.ListenerBroke(bug);
        }
    }
}
