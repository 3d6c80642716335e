using System.Diagnostics.Metrics;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Domain;
using Mirubato.Tests.Support;
using Npgsql;

namespace Mirubato.Tests.Engine;

/// <summary>Two processes over one PostgreSQL tell each other.</summary>
[Collection(SharesPostgres.Name)]
public sealed class HintsPostgresTests(PostgresCluster cluster) : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = CancellationToken.None;
    private static readonly long Now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    private readonly UserId user = new($"user-{Guid.NewGuid():n}");
    private string database = "";
    private HintsProcess one = null!;
    private HintsProcess two = null!;

    public async Task InitializeAsync()
    {
        database = await cluster.FreshDatabase();
        one = await HintsProcess.Start(database);
        two = await HintsProcess.Start(database);
        await Task.WhenAll(one.Heard.Until(h => h.MissedCount == 1), two.Heard.Until(h => h.MissedCount == 1));
    }

    public async Task DisposeAsync()
    {
        await one.DisposeAsync();
        await two.DisposeAsync();
    }

    [Fact]
    public async Task A_commit_is_heard_elsewhere_with_its_head()
    {
        var head = await Push(one, "a");
        await two.Heard.Until(h => h.HeadOf(user) == head);

        Assert.Equal(1, head.Seq.Number);
        Assert.Equal(head, one.Heard.HeadOf(user));
        Assert.Equal(head, (await two.Connections.Standings([user], Cancel))[user].Head);
    }

    [Fact]
    public async Task What_a_process_says_it_hears_once()
    {
        await Push(one, "a");
        var reply = await Push(two, "b");
        await one.Heard.Until(h => h.HeadOf(user) == reply);

        Assert.Equal([1, 2], one.Heard.All.OfType<HeadMoved>().Select(hint => hint.Head.Seq.Number));
    }

    [Fact]
    public async Task A_write_that_changes_nothing_is_not_told()
    {
        await Push(one, "a");
        await Push(one, "a");
        var last = await Push(one, "b");
        await two.Heard.Until(h => h.HeadOf(user) == last);

        Assert.Equal(2, one.Heard.All.Count);
    }

    [Fact]
    public async Task Who_is_turned_away_and_a_new_epoch_are_heard_everywhere()
    {
        await Push(one, "a");
        var coordinator = one.Of(user);
        await coordinator.Standing(new Caller(user, new DeviceId("d1"), Now), Cancel);
        Assert.False(await coordinator.Admit(new DeviceId("nobody"), allowed: false, Cancel));
        Assert.True(await coordinator.Admit(new DeviceId("d1"), allowed: false, Cancel));
        Assert.True(await coordinator.Admit(new DeviceId("d1"), allowed: true, Cancel));
        var notBeforeMs = await coordinator.SignOutEverywhere(Cancel);
        var erased = await coordinator.Erase(Cancel);

        await Task.WhenAll(two.Heard.Until(h => h.HeadOf(user) == erased.Token), one.Heard.Until(h => h.HeadOf(user) == erased.Token));
        foreach (var process in (HintsProcess[])[one, two])
        {
            Assert.Equal([new DeviceRevoked(user, new DeviceId("d1"))], process.Heard.All.OfType<DeviceRevoked>());
            Assert.Equal([new SignedOut(user, notBeforeMs)], process.Heard.All.OfType<SignedOut>());
        }
    }

    [Fact]
    public async Task A_thousand_commits_take_few_notifications_and_end_with_every_newest_head()
    {
        const int users = 10;
        const int commits = 1_000;
        using var counted = new NotificationsCounted();
        var epoch = Bits.FreshEpoch();
        for (var i = 0; i < commits; i++) one.Send(new HeadMoved(new UserId($"u{i % users}"), new SyncToken(epoch, new Revision(i))));

        await two.Heard.Until(h => Enumerable.Range(0, users).All(u => h.HeadOf(new UserId($"u{u}"))?.Seq.Number == commits - users + u));
        Assert.InRange(counted.Total, 1, commits / 4);
        Assert.InRange(two.Heard.All.Count, users, commits / 2);
    }

    [Fact]
    public async Task More_users_than_one_notification_takes_are_all_told()
    {
        var epoch = Bits.FreshEpoch();
        for (var i = 0; i < 2_000; i++) one.Send(new HeadMoved(new UserId($"user-{i}"), new SyncToken(epoch, new Revision(i))));

        await two.Heard.Until(h => h.All.Count >= 2_000);
        Assert.Equal(Enumerable.Range(0, 2_000), two.Heard.All.Select(hint => (int)((HeadMoved)hint).Head.Seq.Number));
    }

    [Fact]
    public async Task A_cut_listener_comes_back_and_has_the_heads_compared()
    {
        await Cut("LISTEN%");
        await Task.WhenAll(one.Heard.Until(h => h.MissedCount == 2), two.Heard.Until(h => h.MissedCount == 2));

        var head = await Push(one, "a");
        await two.Heard.Until(h => h.HeadOf(user) == head);
    }

    [Fact]
    public async Task A_cut_speaker_says_it_again()
    {
        await Push(one, "a");
        await two.Heard.Until(h => h.HeadOf(user)?.Seq.Number == 1);
        await Cut("%pg_notify%");

        var head = await Push(one, "b");
        await two.Heard.Until(h => h.HeadOf(user) == head);
        Assert.Equal(1, two.Heard.MissedCount);
    }

    [Fact]
    public async Task A_process_without_a_listener_still_tells_others()
    {
        await using var deaf = await HintsProcess.Start(database, listens: false);
        var head = await Push(deaf, "a");
        await two.Heard.Until(h => h.HeadOf(user) == head);
    }

    [Fact]
    public async Task A_process_that_stops_takes_its_leave()
    {
        await using var three = await HintsProcess.Start(database);
        await three.Connections.Record([new LiveConnection(user, "c", null, Now)], [], Cancel);
        Assert.Single(await one.Connections.Of(user, Cancel));

        await three.DisposeAsync();
        Assert.Empty(await one.Connections.Of(user, Cancel));
    }

    internal static async Task<SyncToken> Push(HintsProcess process, UserId user, string id)
    {
        var change = ModelServer.Edit("goal", id, "v", Now);
        var answer = await process.Of(user).Write(new WriteRequest(new Caller(user, new DeviceId("d1"), Now), WriteScope.Push, null, change.Document, [change]), Cancel);
        Assert.Equal(RequestRefusal.None, answer.Refusal);
        return (await process.Of(user).Standing(new Caller(user, null, Now), Cancel)).Token;
    }

    private Task<SyncToken> Push(HintsProcess process, string id) => Push(process, user, id);

    private async Task Cut(string query)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ToString());
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            $"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '{query}' AND datname = current_database() AND pid <> pg_backend_pid()", connection);
        Assert.True((long)(await command.ExecuteScalarAsync())! > 0);
    }

    /// <summary>Counts what the meters of all engines in the process say; the collection's tests run one after the other.</summary>
    private sealed class NotificationsCounted : IDisposable
    {
        private readonly MeterListener listener = new();
        private long total;

        public NotificationsCounted()
        {
            listener.InstrumentPublished = (instrument, l) =>
            {
                if (instrument is { Meter.Name: SyncMetrics.MeterName, Name: "mirubato.sync.hints.notifications" }) l.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref total, count));
            listener.Start();
        }

        public long Total => Interlocked.Read(ref total);

        public void Dispose() => listener.Dispose();
    }
}
