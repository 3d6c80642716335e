using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mirubato.Grains;

/// <summary>
/// What a silo does for its coordinators once a second: 1. those with connections, and those in doubt, are confirmed by the store, many in
/// one statement; so what was never announced reaches an idle socket within <see cref="Limits.ConfirmEveryMs"/>. 2. Heads that nobody has
/// used for long go, and while there are more than <see cref="Limits.HeadsMax"/> the longest unused ones go. While the silo drains, all of
/// them are handed over first.
/// </summary>
internal sealed class CoordinatorUpkeep(CoordinatorContext silo, IdleMemory memory, ILogger<CoordinatorUpkeep> log) : BackgroundService
{
    private const int EveryMs = 1_000;

    /// <summary>One look later would be too late, and the statement takes its time.</summary>
    private const int DueAfterMs = Limits.ConfirmEveryMs - (2 * EveryMs);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(EveryMs), silo.Time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await Look(stoppingToken);
    }

    private async Task Look(CancellationToken cancel)
    {
        try
        {
            if (silo.Active.IsDraining) silo.Active.HandOver();
            DropHeads();
            await Confirm(cancel);
        }
        catch (StoreUnavailableException fault)
        {
            silo.Metrics.Faulted(fault.Reason);
        }
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            log.UpkeepBroke(bug);
        }
    }

    private async Task Confirm(CancellationToken cancel)
    {
        var nowMs = silo.NowMs;
        var due = silo.Active.Where(one => one.IsInDoubt || (one.HasConnections && nowMs - one.ConfirmedMs >= DueAfterMs));
        foreach (var some in due.Chunk(Limits.ConfirmUsersMax)) await Confirm(some, cancel);
    }

    private async Task Confirm(SyncCoordinatorGrain[] some, CancellationToken cancel)
    {
        var versions = Array.ConvertAll(some, one => one.ConfirmedVersion);
        var askedAt = silo.Clock.Read();
        var states = await silo.Store.States([.. some.Select(one => one.User).Distinct()], cancel);
        silo.Metrics.Confirmations.Add(some.Length);
        await Task.WhenAll(some.Zip(versions, (one, version) => states.TryGetValue(one.User, out var fresh)
            ? silo.Active.Run(one, coordinator => coordinator.Follow(fresh, version, askedAt))
            : Task.CompletedTask));
    }

    private void DropHeads()
    {
        var idleSince = silo.NowMs - Limits.HeadsIdleMs;
        var holders = silo.Active.Where(one => one.Heads > 0);
        var heads = holders.Sum(one => (long)one.Heads);
        if (heads > Limits.HeadsMax) holders.Sort((a, b) => a.UsedMs.CompareTo(b.UsedMs));
        foreach (var one in holders)
        {
            if (one.UsedMs > idleSince && heads <= Limits.HeadsMax) continue;
            heads -= one.Heads;
            silo.Active.Run(one, coordinator => coordinator.DropHeads()).Ignore();
            memory.Freed();
        }
    }
}
