using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Mirubato.Grains;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Docs;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Silo;

[Collection(SharesPostgresWithSilos.Name)]
public sealed class MaintenanceTimerTests(PostgresCluster postgres)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_silo_ticks_about_once_a_minute_also_after_a_tick_that_failed_and_stops_quietly()
    {
        var (clock, trail) = (new FakeClock(), new SweepTrail());
        using var logs = new CapturedLogs();
        var database = await postgres.FreshDatabase();
        await using var store = PostgresStore.Open(
            database, new PostgresOptions(AlsoApply: SourceTree.Read("Silo/GrainState.Postgres.sql")));
        await store.Migrate(CancellationToken.None);
        await using var cluster = await MaintenanceCluster.Start(1, database, store, trail, clock, logs);
        var (watched, own) = (new WatchedClock(clock), new CapturedLogs());
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(own));
        using var timer = new MaintenanceTimer(cluster.Grains, watched, factory.CreateLogger<MaintenanceTimer>());
        trail.Before = (_, _, _) => trail.Batches.Count == 1 ? throw new InvalidOperationException() : Task.CompletedTask;

        await timer.StartAsync(CancellationToken.None);
        for (var tick = 0; tick < 2; tick++)
        {
            var pause = await watched.Pauses.ReadAsync().AsTask().WaitAsync(Patience);
            Assert.InRange(pause, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(75));
            Assert.Equal(tick, own.Lines.Count + (trail.Batches.Count > 1 ? 1 : 0));
            clock.Advance(pause);
        }

        await watched.Pauses.ReadAsync().AsTask().WaitAsync(Patience);
        Assert.True(trail.Batches.Count > 2);
        Assert.Contains(
            "The maintenance grain could not be called (InvalidOperationException)", Assert.Single(own.Lines), StringComparison.Ordinal);
        await timer.StopAsync(CancellationToken.None).WaitAsync(Patience);
        Assert.Single(own.Lines);
    }

    /// <summary>Reports when a wait begins, and for how long: before that, moving the clock would wake nothing.</summary>
    private sealed class WatchedClock(FakeClock clock) : TimeProvider
    {
        private readonly Channel<TimeSpan> pauses = Channel.CreateUnbounded<TimeSpan>();

        public ChannelReader<TimeSpan> Pauses => pauses.Reader;

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = clock.CreateTimer(callback, state, dueTime, period);
            pauses.Writer.TryWrite(dueTime);
            return timer;
        }
    }
}
