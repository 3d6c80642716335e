using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Storage;

/// <summary>A sweep from its first batch to its last within one process.</summary>
/// <param name="rest">What is swept besides the steps; given the lease, it answers how many tickets went.</param>
internal sealed class FullSweep(IStoreUpkeep store, Func<SweepLease, CancellationToken, ValueTask<int>> rest)
{
    private readonly string holder = $"sweep-{Guid.NewGuid():n}";

    public async ValueTask<SweepReport> Run(long nowMs, CancellationToken cancel)
    {
        if (!await store.TryLease(holder, nowMs, nowMs + Ages.SweepLeaseMs, cancel)) return SweepReport.Nothing;
        var removed = new int[Enum.GetValues<SweepStep>().Length];
        var tickets = 0;
        try
        {
            foreach (var step in Enum.GetValues<SweepStep>()) await Run(step, removed, nowMs, cancel);
            tickets = await rest(new SweepLease(holder, nowMs), cancel);
        }
        catch (LeaseLostException)
        {
            // This sweep took longer than its lease: whoever has the lease now does what is left.
        }
        finally
        {
            await Release();
        }

        return ReportOf(removed, tickets);
    }

    // What a step without a cursor leaves is found by the next sweep; a step with a cursor would start over, so it runs to its end.
    private async ValueTask Run(SweepStep step, int[] removed, long nowMs, CancellationToken cancel)
    {
        var progress = new SweepProgress(0, null, Done: false);
        for (var batch = 0; !progress.Done && (batch < Ages.SweepStepsMax || progress.Cursor is not null); batch++)
        {
            progress = await store.Sweep(step, progress.Cursor, holder, nowMs, cancel);
            removed[(int)step] += progress.Removed;
        }
    }

    private async ValueTask Release()
    {
        try
        {
            await store.ReleaseLease(holder, CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
            // The lease expires. Failing here would hide why the sweep ended.
        }
    }

    private static SweepReport ReportOf(int[] removed, int tickets) => new(
        Receipts: removed[(int)SweepStep.Receipts],
        Conflicts: removed[(int)SweepStep.Conflicts],
        Tombstones: removed[(int)SweepStep.StripTombstones] + removed[(int)SweepStep.PurgeErased] + removed[(int)SweepStep.TrimTombstones],
        Devices: removed[(int)SweepStep.Devices],
        Tickets: tickets);
}
