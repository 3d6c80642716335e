using Microsoft.Extensions.Logging;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>What every coordinator of a process shares.</summary>
internal sealed record CoordinatorContext(
    IUserStore Store, IAnswerFormat Format, Quotas Quotas, TimeProvider Time, SyncMetrics Metrics, ILogger<SyncCoordinator> Log)
{
    /// <summary>Where other processes are told; nowhere when there are none.</summary>
    public IHints Hints { get; init; } = new NoHints();

    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();
}

internal sealed class NoHints : IHints
{
    public void Send(Hint hint)
    {
    }
}
