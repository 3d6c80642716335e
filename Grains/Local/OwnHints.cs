using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Local;

/// <summary>The hints of a process that is alone over its store.</summary>
internal sealed class OwnHints(Hearing hearing) : IHints
{
    public void Send(Hint hint) => hearing.Hear(hint);
}
