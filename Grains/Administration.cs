using Microsoft.Extensions.DependencyInjection;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Sqlite;

namespace Mirubato.Grains;

/// <summary>What an operator does to a store by hand.</summary>
public static class Administration
{
    /// <summary>
    /// SQL for either store. Run it before a backup is put in the place of a database: a server that starts on a marked one bumps the
    /// epochs by itself. <see cref="BumpEpochs"/> removes the mark.
    /// </summary>
    public const string MarkRestore = RestoreMark.Make;

    private static readonly TimeSpan LeaseFor = TimeSpan.FromMinutes(2);

    /// <summary>
    /// After a restore from a backup: every user gets a new epoch above all revisions given out before, so that devices resynchronize
    /// instead of trusting revisions that are lost. Servers may run meanwhile. Answers how many users.
    /// </summary>
    public static async Task<long> BumpEpochs(IServiceProvider services, CancellationToken cancel)
    {
        var store = services.GetRequiredService<IStoreUpkeep>();
        await store.Migrate(cancel);
        return await store.BumpEpochs(cancel);
    }

    /// <summary>The version of the schema that this release brings.</summary>
    public static int SchemaVersion(bool postgres) => Migration.List(postgres ? "Postgres" : "Sqlite")[^1].Version;

    /// <summary>Brings the schema up to date, as each start does. Answers its version.</summary>
    public static async Task<long> Migrate(IServiceProvider services, CancellationToken cancel)
    {
        var store = services.GetRequiredService<IStoreUpkeep>();
        await store.Migrate(cancel);
        return SchemaVersion(store is not SqliteStore);
    }

    /// <summary>One whole sweep. Answers how many rows it removed or stripped.</summary>
    /// <exception cref="InvalidOperationException">A server sweeps at this moment.</exception>
    public static async Task<long> Sweep(IServiceProvider services, CancellationToken cancel)
    {
        var store = services.GetRequiredService<IStoreUpkeep>();
        var time = services.GetRequiredKeyedService<TimeProvider>(ServerClock.Key);
        await store.Migrate(cancel);
        var (holder, removed) = ($"administration-{Guid.NewGuid():n}", 0L);
        try
        {
            foreach (var step in Enum.GetValues<SweepStep>()) removed += await Sweep(store, step, holder, time, cancel);
            return removed;
        }
        finally
        {
            await store.ReleaseLease(holder, CancellationToken.None);
        }
    }

    private static async Task<long> Sweep(
        IStoreUpkeep store, SweepStep step, string holder, TimeProvider time, CancellationToken cancel)
    {
        var (removed, progress) = (0L, new SweepProgress(0, null, Done: false));
        while (!progress.Done)
        {
            var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (!await store.TryLease(holder, nowMs, nowMs + (long)LeaseFor.TotalMilliseconds, cancel))
                throw new InvalidOperationException("A server sweeps at this moment; it does what you want.");
            progress = await store.Sweep(step, progress.Cursor, holder, nowMs, cancel);
            removed += progress.Removed;
        }

        return removed;
    }
}
