using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Docs;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Storage;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Silo;

/// <summary>Sweeps of a cluster over a store with little in it and batches of two rows, so that every step has several.</summary>
[Collection(SharesPostgres.Name)]
public sealed class MaintenanceTests(PostgresCluster postgres) : IAsyncLifetime, IDisposable
{
    private const int Users = 4;
    private const int TombstonesMax = 1;
    private static readonly CancellationToken Cancel = CancellationToken.None;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FakeClock clock = new();
    private readonly SweepTrail trail = new();
    private readonly CapturedLogs logs = new();
    private readonly List<MaintenanceCluster> clusters = [];
    private readonly TaskCompletionSource<bool> released = Signal<bool>();
    private string database = "";
    private PostgresStore store = null!;

    public async Task InitializeAsync()
    {
        database = await postgres.FreshDatabase();
        var scripts = SourceTree.Read("Silo/Membership.sql") + SourceTree.Read("Silo/GrainState.Postgres.sql");
        store = PostgresStore.Open(database, new PostgresOptions(TombstonesMax: TombstonesMax, AlsoApply: scripts, SweepRowsMax: 2));
        await store.Migrate(Cancel);
        for (var i = 0; i < Users; i++) await Populate(new UserId($"user-{i}"));
    }

    public async Task DisposeAsync()
    {
        released.TrySetResult(true);
        trail.Before = null;
        foreach (var cluster in clusters) await cluster.DisposeAsync();
        await store.DisposeAsync();
    }

    public void Dispose() => logs.Dispose();

    [Fact]
    public async Task A_sweep_goes_through_all_steps_and_another_is_due_an_hour_later()
    {
        var cluster = await Cluster(silos: 2);
        await cluster.Tick();
        var first = trail.Batches.Count;
        Assert.Equal(Enum.GetValues<SweepStep>(), trail.Batches.Select(batch => batch.Step).Distinct());
        await AssertSwept();

        clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromMilliseconds(1));
        await cluster.Tick();
        Assert.Equal(first, trail.Batches.Count);

        clock.Advance(TimeSpan.FromMilliseconds(1));
        await cluster.Tick();
        Assert.InRange(trail.Batches.Count, first + Enum.GetValues<SweepStep>().Length, (2 * first) - 1);
    }

    [Fact]
    public async Task A_sweep_whose_silo_is_killed_goes_on_in_another_from_where_it_stood()
    {
        var cluster = await Cluster(silos: 2);
        var held = Signal<SweptBatch>();
        trail.Before = (batch, _, _) => IsInTheMiddle(batch) && held.TrySetResult(batch) ? released.Task : Task.CompletedTask;
        var killed = cluster.Tick();
        var at = await held.Task.WaitAsync(Patience);
        var before = trail.Batches.Count;
        await cluster.Kill(at.Silo);

        clock.Advance(TimeSpan.FromMinutes(2) - TimeSpan.FromMilliseconds(1));
        await cluster.TickUntilReached();
        Assert.Equal(before, trail.Batches.Count);

        clock.Advance(TimeSpan.FromMilliseconds(1));
        await cluster.TickUntilReached();
        var after = trail.Batches.Skip(before).ToList();
        Assert.Equal((at.Step, at.Cursor), (after[0].Step, after[0].Cursor));
        Assert.DoesNotContain(after, batch => batch.Silo == at.Silo);
        await AssertSwept();

        released.SetResult(true);
        killed.Ignore();
        await cluster.Tick();
        Assert.Equal(before + after.Count, trail.Batches.Count);
    }

    [Fact]
    public async Task A_silo_that_stops_cuts_its_batch_off_and_another_goes_on_at_once()
    {
        var cluster = await Cluster(silos: 2);
        var held = Signal<SweptBatch>();
        trail.Before = (batch, _, cancel) => IsInTheMiddle(batch) && held.TrySetResult(batch)
            ? released.Task.WaitAsync(cancel)
            : Task.CompletedTask;
        var stopped = cluster.Tick();
        var at = await held.Task.WaitAsync(Patience);
        await cluster.Stop(at.Silo).WaitAsync(Patience);
        await Task.WhenAny(stopped);

        var before = trail.Batches.Count;
        await cluster.TickUntilReached();

        Assert.Equal((at.Step, at.Cursor), (trail.Batches[before].Step, trail.Batches[before].Cursor));
        Assert.NotEqual(at.Silo, trail.Batches[before].Silo);
        await AssertSwept();
    }

    [Fact]
    public async Task A_store_that_fails_ends_the_tick_and_the_next_one_repeats_the_batch()
    {
        var cluster = await Cluster(silos: 1);
        trail.Before = (batch, _, _) => IsInTheMiddle(batch) ? throw InterruptedStore.Cut(outcomeUnknown: true) : Task.CompletedTask;
        await cluster.Tick();
        await cluster.Tick();
        var before = trail.Batches.Count;
        Assert.Equal(trail.Batches[before - 2], trail.Batches[before - 1]);
        Assert.True(logs.Hold("A sweep was interrupted (unreachable)"));

        trail.Before = null;
        await cluster.Tick();

        Assert.Equal(trail.Batches[before - 1], trail.Batches[before]);
        await AssertSwept();
    }

    [Fact]
    public async Task A_tick_that_loses_its_lease_stops_and_the_sweep_goes_on_once_the_lease_is_free()
    {
        var cluster = await Cluster(silos: 1);
        trail.Before = async (batch, holder, _) =>
        {
            if (!IsInTheMiddle(batch)) return;
            await store.ReleaseLease(holder, Cancel);
            Assert.True(await store.TryLease("another", clock.NowMs, clock.NowMs + 1, Cancel));
        };
        await cluster.Tick();
        var before = trail.Batches.Count;
        await cluster.Tick();
        Assert.Equal(before, trail.Batches.Count);

        trail.Before = null;
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await cluster.Tick();

        Assert.Equal(trail.Batches[before - 1], trail.Batches[before]);
        await AssertSwept();
    }

    [Fact]
    public async Task A_long_sweep_takes_several_ticks()
    {
        var cluster = await Cluster(silos: 1);
        trail.Before = (_, _, _) => { clock.Advance(TimeSpan.FromSeconds(8)); return Task.CompletedTask; };

        await cluster.Tick();
        Assert.Equal(2, trail.Batches.Count);
        await cluster.Tick();
        Assert.Equal(4, trail.Batches.Count);

        trail.Before = null;
        await cluster.Tick();
        await AssertSwept();
    }

    [Fact]
    public async Task A_tick_returns_at_once_while_another_runs()
    {
        var cluster = await Cluster(silos: 1);
        var held = Signal<SweptBatch>();
        trail.Before = (batch, _, _) => held.TrySetResult(batch) ? released.Task : Task.CompletedTask;
        var first = cluster.Tick();
        await held.Task.WaitAsync(Patience);

        await cluster.Tick();
        Assert.Single(trail.Batches);

        released.SetResult(true);
        await first;
        await AssertSwept();
    }

    [Fact]
    public async Task A_second_activation_that_is_behind_gives_up_and_reads_what_is_stored()
    {
        var (one, other) = (await Cluster(silos: 1), await Cluster(silos: 1));
        var held = Signal<SweptBatch>();
        trail.Before = (batch, _, _) => IsInTheMiddle(batch) && held.TrySetResult(batch) ? released.Task : Task.CompletedTask;
        var first = one.Tick();
        await held.Task.WaitAsync(Patience);
        var before = trail.Batches.Count;
        await other.Tick();
        Assert.Equal(before, trail.Batches.Count);
        released.SetResult(true);
        await first;
        var whole = trail.Batches.Count;

        await other.Tick();
        Assert.Equal(whole + 1, trail.Batches.Count);
        Assert.True(logs.Hold("The progress of a sweep could not be stored (InconsistentStateException)"));

        await other.TickUntilReached();
        Assert.Equal(whole + 1, trail.Batches.Count);
    }

    /// <summary>A batch that goes on from a stored cursor.</summary>
    private static bool IsInTheMiddle(SweptBatch batch) => batch is { Step: SweepStep.TrimTombstones, Cursor: not null };

    private static TaskCompletionSource<T> Signal<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<MaintenanceCluster> Cluster(short silos)
    {
        var cluster = await MaintenanceCluster.Start(silos, database, store, trail, clock, logs);
        clusters.Add(cluster);
        return cluster;
    }

    /// <summary>Everything is old by the clock: three tombstones of which two are too many, an expired receipt and a conflict.</summary>
    private async Task Populate(UserId user)
    {
        var at = await store.HistoryState(user, null, Sample.Now, Cancel);
        var commit = Sample.Commit(at, [.. Enumerable.Range(1, 3).Select(i => Sample.Tombstone(Sample.Entry($"e{i}"), i))]);
        var held = await store.Commit(
            user, commit with { Receipts = [Sample.Receipt("key")], Losers = [Sample.Loser("e1", "{}")] }, Cancel);
        Assert.Equal(CommitResult.Held, held.Result);
    }

    /// <summary>One whole sweep, by whichever silo: what every step removed is logged once, in one line.</summary>
    private async Task AssertSwept()
    {
        Assert.True(logs.Hold("Swept 4 receipts, 4 conflicts, 20 tombstones, 0 devices."));
        for (var i = 0; i < Users; i++)
        {
            var page = await store.Read(new UserId($"user-{i}"), null, new ReadQuery { Kind = RowKind.Tombstones }, clock.NowMs, Cancel);
            Assert.Single(page.Rows);
        }
    }
}
