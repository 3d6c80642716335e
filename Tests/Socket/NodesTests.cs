using Microsoft.Extensions.DependencyInjection;
using Mirubato.Gateway.Socket;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>What is so over all processes together: how many sockets a user has, and who lives. Each process has a clock of its own; one that stands still is a process that does.</summary>
[Collection(SharesPostgres.Name)]
public sealed class NodesTests(PostgresCluster cluster) : IAsyncLifetime
{
    private const string User = "ada";

    private readonly List<LiveServer> servers = [];
    private readonly List<SocketClient> sockets = [];
    private readonly FakeClock here = new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
    private readonly FakeClock there = new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
    private string setting = "";
    private Npgsql.NpgsqlDataSource database = null!;

    public async Task InitializeAsync()
    {
        setting = $"--Storage:Postgres={await cluster.FreshDatabase()}";
        database = Npgsql.NpgsqlDataSource.Create(setting.Split('=', 2)[1]);
        foreach (var clock in (FakeClock[])[here, there]) servers.Add(await LiveServer.StartWith(services => services.AddSingleton<TimeProvider>(clock), setting));
    }

    public async Task DisposeAsync()
    {
        foreach (var socket in sockets) await socket.DisposeAsync();
        foreach (var server in servers) await server.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task An_eleventh_socket_on_another_node_is_closed_with_4429_and_the_ten_stay()
    {
        for (var i = 0; i < 10; i++) await Open(0);
        await Turn(here, 1);
        await Recorded(10);
        await Turn(there, 1);
        var eleventh = await Open(1);
        await Turn(there, 1);
        Assert.Equal(4429, await eleventh.Closed());
        await Turn(here, 30);
        Assert.Equal(10, Sessions(0));
    }

    [Fact]
    public async Task The_newest_goes_even_when_its_node_recorded_it_before_the_others()
    {
        await Turn(there, 1);
        var newest = await Open(1);
        await Turn(there, 1);
        await Recorded(1);
        for (var i = 0; i < 10; i++) await Open(0);
        await Turn(here, 1);
        await Recorded(11);
        Assert.Equal(1, Sessions(1));

        // Its own node finds out when it compares. Both live meanwhile: one that was forgotten would find out by telling all anew.
        for (var second = 0; second < 30; second++)
        {
            await Turn(here, 1);
            await Turn(there, 1);
        }

        Assert.Equal(4429, await newest.Closed());
        Assert.Equal(10, Sessions(0));
    }

    [Fact]
    public async Task Sockets_of_a_node_that_stands_still_count_for_fifteen_seconds_and_no_longer()
    {
        using var http = servers[1].Device(User, "phone");
        for (var i = 0; i < 10; i++) await Open(0);
        await Turn(here, 1);
        await Recorded(10);

        await Turn(there, 14);
        var early = await Open(1);
        await Turn(there, 1);
        Assert.Equal(4429, await early.Closed());

        await Turn(there, 7);
        await Until(async () => await Count() == 0, there);
        Assert.Equal(0, (await http.Get("/api/sync/status")).GetProperty("connections").GetInt32());
        var late = await Open(1);
        await Turn(there, 5);
        await late.Settle();
        Assert.Equal(1, Sessions(1));

        // It was only paused: what it has is written down again, and the newest of eleven goes.
        await Turn(here, 90);
        await Turn(there, 30);
        await Until(() => Task.FromResult(Sessions(0) + Sessions(1) <= 10), here, there);
        Assert.Equal(10, Sessions(0) + Sessions(1));
    }

    [Fact]
    public async Task Who_comes_back_on_another_node_unasked_misses_nothing()
    {
        var writer = await Open(0);
        await writer.Sync();
        var away = await Open(0);
        await away.Sync();
        await writer.Mutate("GOAL_UPDATED", "\"goal\":{\"id\":\"before\"}");
        await away.Until(_ => away.Cursor == 1);
        await away.Drop();
        await writer.Mutate("GOAL_UPDATED", "\"goal\":{\"id\":\"meanwhile\"}");

        // The other node may have heard of it late, or not at all.
        var back = await Open(1);
        await writer.Mutate("GOAL_UPDATED", "\"goal\":{\"id\":\"after\"}");
        var hearing = back.Until(_ => back.Cursor == 3);
        while (!hearing.IsCompleted) await Turn(there, 1);
        await hearing;
        Assert.Equal(["meanwhile", "after"], back.Seen.Where(f => SocketClient.Has(f, "goal")).Select(f => f.GetProperty("goal").GetProperty("id").GetString()).Where(id => id != "before"));
        Assert.Empty(back.Faults);
    }

    private async Task<SocketClient> Open(int node)
    {
        var socket = await SocketClient.Open(servers[node].Url, User);
        sockets.Add(socket);
        await socket.Next("WELCOME");
        return socket;
    }

    private int Sessions(int node) => servers[node].Services.GetRequiredService<LiveRooms>().Sessions().Count(session => session.IsOpen);

    /// <summary>In steps that let the node's own loops reach the store, as this does.</summary>
    private async Task Turn(FakeClock clock, int seconds)
    {
        for (var half = 0; half < 2 * seconds; half++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(500));
            for (var i = 0; i < 4; i++) await Count();
        }
    }

    /// <summary>On a busy machine the nodes' loops take more turns to get there than on an idle one.</summary>
    private async Task Until(Func<Task<bool>> holds, params FakeClock[] turning)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await holds())
        {
            patience.Token.ThrowIfCancellationRequested();
            foreach (var clock in turning) await Turn(clock, 1);
        }
    }

    /// <summary>Until the store knows so many sockets of the user.</summary>
    private async Task Recorded(long count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await Count() != count) patience.Token.ThrowIfCancellationRequested();
    }

    private async Task<long> Count()
    {
        await using var command = database.CreateCommand($"SELECT count(*) FROM sync_connections WHERE user_id = '{User}'");
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
