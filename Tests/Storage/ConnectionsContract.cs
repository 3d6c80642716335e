using Microsoft.Extensions.Logging.Abstractions;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Engine;
using Mirubato.Tests.Support;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

/// <summary>What every store promises about sockets, tickets and heads. Several <see cref="Connections"/> over one store are several processes.</summary>
public abstract class ConnectionsContract : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = CancellationToken.None;

    private readonly FakeClock clock = new();
    private readonly UserId user = User();
    private readonly HintsHeard heard = new();

    private protected abstract IUserStore Users { get; }

    private protected abstract IConnectionStore Store { get; }

    private protected abstract IStoreUpkeep Upkeep { get; }

    public abstract Task InitializeAsync();

    public abstract Task DisposeAsync();

    protected abstract Task<object?> Sql(string sql);

    [Fact]
    public async Task A_socket_is_seen_from_every_process_until_it_closes()
    {
        var (one, two) = (Process(), Process());
        var (early, late) = (Live("b", openedMs: 5), Live("a", openedMs: 6) with { Device = null });
        await one.Record([late], [], Cancel);
        await two.Record([early], [], Cancel);

        Assert.Equal([early, late], await one.Of(user, Cancel));
        Assert.Equal([early, late], await two.Of(user, Cancel));
        Assert.Empty(await two.Of(User(), Cancel));

        await two.Record([], [(user, "b")], Cancel);
        Assert.Equal([late], await two.Of(user, Cancel));
    }

    [Fact]
    public async Task Recording_again_changes_nothing_and_ends_what_a_failure_left_open()
    {
        var process = Process();
        await process.Record([Live("a"), Live("b")], [], Cancel);
        await process.Record([Live("a"), Live("b"), Live("c"), Live("c")], [(user, "x")], Cancel);

        Assert.Equal(["a", "b", "c"], (await process.Of(user, Cancel)).Select(c => c.ConnectionId));
        Assert.Equal(3L, Convert.ToInt64(await Sql("SELECT count(*) FROM sync_connections")));
    }

    [Fact]
    public async Task What_was_opened_and_closed_is_closed()
    {
        var process = Process();
        await process.Record([Live("a"), Live("b")], [(user, "a")], Cancel);

        Assert.Equal(["b"], (await process.Of(user, Cancel)).Select(c => c.ConnectionId));
    }

    [Fact]
    public async Task A_process_does_not_close_what_another_has_open()
    {
        var (one, two) = (Process(), Process());
        await one.Record([Live("a")], [], Cancel);
        await two.Record([], [(user, "a")], Cancel);

        Assert.Single(await one.Of(user, Cancel));
    }

    [Fact]
    public async Task Connections_of_a_dead_process_are_unseen_after_fifteen_seconds_and_then_gone()
    {
        var (dead, alive) = (Process(), Process());
        await dead.Record([.. Enumerable.Range(0, 2_500).Select(i => Live($"d{i:0000}"))], [], Cancel);
        await alive.Record([Live("alive")], [], Cancel);
        Wait(Ages.GatewaySilenceMs - 1);
        await alive.Heartbeat(Cancel);
        Assert.Equal(2_501, (await alive.Of(user, Cancel)).Count);

        Wait(1);
        Assert.Equal(["alive"], (await alive.Of(user, Cancel)).Select(c => c.ConnectionId));
        Assert.Equal((0, 1), await Users.Presence(user, clock.NowMs, Cancel));
        await alive.Heartbeat(Cancel);

        Assert.Equal(1L, Convert.ToInt64(await Sql("SELECT count(*) FROM sync_connections")));
        Assert.Equal(1L, Convert.ToInt64(await Sql("SELECT count(*) FROM gateways")));
        Assert.Equal(0, heard.ForgottenCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_process_taken_for_dead_is_told_to_record_its_sockets_again(bool byHeartbeat)
    {
        var (paused, other) = (Process(), Process());
        await paused.Record([Live("a"), Live("b")], [], Cancel);
        Wait(Ages.GatewaySilenceMs);
        await other.Heartbeat(Cancel);
        Assert.Equal(0, heard.ForgottenCount);

        await (byHeartbeat ? paused.Heartbeat(Cancel) : paused.Record([Live("c")], [], Cancel));
        Assert.Equal(1, heard.ForgottenCount);
        await paused.Record([Live("a"), Live("b")], [], Cancel);

        Assert.Equal(byHeartbeat ? 2 : 3, (await other.Of(user, Cancel)).Count);
        Assert.Equal(1, heard.ForgottenCount);
    }

    [Fact]
    public async Task A_process_that_leaves_takes_its_sockets_along_and_records_no_more()
    {
        var (one, two) = (Process(), Process());
        await one.Record([Live("a")], [], Cancel);
        await two.Record([Live("b")], [], Cancel);

        await one.Leave(Cancel);
        await one.Record([Live("late")], [], Cancel);
        await one.Heartbeat(Cancel);

        Assert.Equal(["b"], (await two.Of(user, Cancel)).Select(c => c.ConnectionId));
        Assert.Equal(1L, Convert.ToInt64(await Sql("SELECT count(*) FROM gateways")));
    }

    [Fact]
    public async Task A_device_is_live_while_a_socket_of_it_is()
    {
        var process = Process();
        await Users.SeeDevice(user, new DeviceId("phone"), 0, 9, clock.NowMs, Cancel);
        await process.Record([Live("a")], [], Cancel);
        Assert.True(Assert.Single(await Users.Devices(user, Cancel)).Live);

        await process.Record([], [(user, "a")], Cancel);
        Assert.False(Assert.Single(await Users.Devices(user, Cancel)).Live);
    }

    [Fact]
    public async Task Heads_of_many_users_come_at_once_and_unknown_users_are_absent()
    {
        var (moved, fresh, strange) = (User(), User(), new UserId("gerät \"'\\ 🎻"));
        await Users.Commit(moved, Entries(await Users.Standing(moved, null, Now, Cancel), 3), Cancel);
        var expected = new Dictionary<UserId, SyncToken>();
        foreach (var known in (UserId[])[moved, fresh, strange]) expected[known] = (await Users.Standing(known, null, Now, Cancel)).Token;
        await Users.Standing(User(), null, Now, Cancel);

        var heads = (await Process().Standings([moved, fresh, strange, User()], Cancel)).ToDictionary(found => found.Key, found => found.Value.Head);

        Assert.Equal(expected.OrderBy(h => h.Key.Value), heads.OrderBy(h => h.Key.Value));
        Assert.Equal(3, heads[moved].Seq.Number);
        Assert.Empty(await Process().Standings([], Cancel));
    }

    [Fact]
    public async Task All_that_hints_may_have_said_comes_at_once()
    {
        var process = Process();
        await Users.Standing(user, null, Now, Cancel);
        foreach (var device in (string[])["phone", "gerät \"'\\ 🎻", "laptop"]) await Users.SeeDevice(user, new DeviceId(device), 0, 9, clock.NowMs, Cancel);
        await process.Record([Live("a"), Live("b")], [], Cancel);
        Assert.Equal((0L, 2, 0), Shape((await process.Standings([user], Cancel))[user]));

        await Users.SignOut(user, 77, Cancel);
        await Users.RevokeDevice(user, new DeviceId("gerät \"'\\ 🎻"), clock.NowMs, Cancel);
        await Users.RevokeDevice(user, new DeviceId("phone"), clock.NowMs, Cancel);
        await Users.RevokeDevice(user, new DeviceId("phone"), null, Cancel);
        clock.Advance(TimeSpan.FromSeconds(60));
        var now = (await process.Standings([user], Cancel))[user];
        Assert.Equal((77L, 0, 1), Shape(now));
        Assert.Equal("gerät \"'\\ 🎻", Assert.Single(now.Revoked).Value);

        static (long, int, int) Shape(UserStanding standing) => (standing.NotBeforeMs, standing.Connections, standing.Revoked.Count);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task A_ticket_is_good_once_and_until_it_expires(int lateMs, bool good)
    {
        var (one, two) = (Process(), Process());
        var ticket = new Ticket(user, "https://app.example.com", clock.NowMs - 5, clock.NowMs + 999_999);
        await one.Issue(Hash, ticket, clock.NowMs + 30_000, Cancel);
        Wait(30_000 + lateMs);

        Assert.Equal(good ? ticket : null, await two.Redeem(Hash, Cancel));
        Assert.Null(await one.Redeem(Hash, Cancel));
        Assert.Null(await one.Redeem(new byte[32], Cancel));
    }

    [Fact]
    public async Task A_ticket_redeemed_in_many_places_at_once_is_good_in_one()
    {
        IConnections[] processes = [Process(), Process()];
        for (var round = 0; round < 20; round++)
        {
            await processes[0].Issue(Hash, new Ticket(user, null, 1, 2), clock.NowMs + 1, Cancel);
            var tries = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => processes[i % 2].Redeem(Hash, Cancel).AsTask())));
            Assert.Equal(new Ticket(user, null, 1, 2), Assert.Single(tries, t => t is not null));
        }
    }

    [Fact]
    public async Task A_sweep_takes_expired_tickets_and_connections_that_are_nobodys()
    {
        var process = Process();
        await process.Issue(Hash, new Ticket(user, null, 1, 2), clock.NowMs - 1, Cancel);
        await process.Issue(new byte[32], new Ticket(user, null, 1, 2), clock.NowMs, Cancel);
        await process.Record([Live("a")], [], Cancel);
        await Sql($"INSERT INTO sync_connections VALUES ('{user}', 'orphan', 'gone', NULL, 1)");

        Assert.Equal(new SweepReport(0, 0, 0, 0, Tickets: 1), await Upkeep.Sweep(clock.NowMs, Cancel));

        Assert.Equal(1L, Convert.ToInt64(await Sql("SELECT count(*) FROM tickets")));
        Assert.Equal("a", await Sql("SELECT connection_id FROM sync_connections"));
    }

    [Fact]
    public async Task Sockets_that_open_and_close_while_processes_come_and_go_end_as_they_are()
    {
        const int rounds = 40;
        var processes = Enumerable.Range(0, 3).Select(_ => Process()).ToArray();
        await Task.WhenAll(processes.Select((process, place) => Task.Run(async () =>
        {
            for (var i = 0; i < rounds; i++)
            {
                await process.Record([Live($"{place}-{i}")], i == 0 ? [] : [(user, $"{place}-{i - 1}")], Cancel);
                await process.Heartbeat(Cancel);
            }
        })));

        Assert.Equal(processes.Select((_, place) => $"{place}-{rounds - 1}"), (await processes[0].Of(user, Cancel)).Select(c => c.ConnectionId));
    }

    private Connections Process() => new(
        Store, ProcessName.Fresh(), new Hearing(new Lazy<IHintListener?>(heard), NullLogger<Hearing>.Instance), clock);

    private LiveConnection Live(string id, long openedMs = 7) => new(user, id, new DeviceId("phone"), openedMs);

    private void Wait(long ms) => clock.Advance(TimeSpan.FromMilliseconds(ms));
}
