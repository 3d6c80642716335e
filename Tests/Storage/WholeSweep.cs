using Mirubato.Grains.Storage;

namespace Mirubato.Tests.Storage;

internal sealed record SweepReport(int Receipts, int Conflicts, int Tombstones, int Devices)
{
    public static readonly SweepReport Nothing = new(0, 0, 0, 0);
}

/// <summary>A sweep from its first batch to its last.</summary>
internal static class WholeSweep
{
    private const long LeaseMs = 60_000;

    /// <summary>Nothing is swept when somebody else holds the lease.</summary>
    public static async ValueTask<SweepReport> Sweep(this IStoreUpkeep store, long nowMs, CancellationToken cancel)
    {
        var holder = $"sweep-{Guid.NewGuid():n}";
        if (!await store.TryLease(holder, nowMs, nowMs + LeaseMs, cancel)) return SweepReport.Nothing;
        var removed = new Dictionary<SweepStep, int>();
        foreach (var step in Enum.GetValues<SweepStep>()) removed[step] = await Sweep(store, step, holder, nowMs, cancel);
        await store.ReleaseLease(holder, cancel);
        var tombstones = removed[SweepStep.StripTombstones] + removed[SweepStep.PurgeErased] + removed[SweepStep.TrimTombstones];
        return new SweepReport(removed[SweepStep.Receipts], removed[SweepStep.Conflicts], tombstones, removed[SweepStep.Devices]);
    }

    private static async ValueTask<int> Sweep(IStoreUpkeep store, SweepStep step, string holder, long nowMs, CancellationToken cancel)
    {
        var (removed, progress) = (0, new SweepProgress(0, null, Done: false));
        while (!progress.Done)
        {
            progress = await store.Sweep(step, progress.Cursor, holder, nowMs, cancel);
            removed += progress.Removed;
        }

        return removed;
    }
}
