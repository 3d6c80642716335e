using System.Collections.Concurrent;
using Mirubato.Grains.Storage;

namespace Mirubato.Tests.Silo;

/// <summary>A batch that a silo was about to sweep.</summary>
internal sealed record SweptBatch(string Silo, SweepStep Step, string? Cursor);

/// <summary>The batches of all silos of a cluster, in order, and a point before each where a test may act.</summary>
internal sealed class SweepTrail
{
    private readonly ConcurrentQueue<SweptBatch> batches = new();

    public IReadOnlyList<SweptBatch> Batches => [.. batches];

    /// <summary>
    /// Runs before each batch is swept; the arguments are the batch, the holder of the lease, and what cuts the batch off.
    /// </summary>
    public Func<SweptBatch, string, CancellationToken, Task>? Before { get; set; }

    public async Task Reach(SweptBatch batch, string holder, CancellationToken cancel)
    {
        batches.Enqueue(batch);
        if (Before is { } before) await before(batch, holder, cancel);
    }
}

/// <summary>The store as one silo sees it, its batches written to the trail.</summary>
internal sealed class WatchedUpkeep(IStoreUpkeep store, string silo, SweepTrail trail) : IStoreUpkeep
{
    public ValueTask Migrate(CancellationToken cancel) => store.Migrate(cancel);

    public ValueTask Ping(CancellationToken cancel) => store.Ping(cancel);

    public async ValueTask<SweepProgress> Sweep(SweepStep step, string? cursor, string holder, long nowMs, CancellationToken cancel)
    {
        await trail.Reach(new SweptBatch(silo, step, cursor), holder, cancel);
        return await store.Sweep(step, cursor, holder, nowMs, cancel);
    }

    public ValueTask<bool> TryLease(string holder, long nowMs, long untilMs, CancellationToken cancel) =>
        store.TryLease(holder, nowMs, untilMs, cancel);

    public ValueTask ReleaseLease(string holder, CancellationToken cancel) => store.ReleaseLease(holder, cancel);

    public ValueTask<byte[]> TicketKey(CancellationToken cancel) => store.TicketKey(cancel);

    public ValueTask<long> BumpEpochs(CancellationToken cancel) => store.BumpEpochs(cancel);

    public ValueTask<long?> FinishRestore(CancellationToken cancel) => store.FinishRestore(cancel);
}
