using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>Three silos over one PostgreSQL, balanced blindly: to a device they are one.</summary>
[Collection(SharesPostgres.Name)]
public sealed class GatewaysTests(PostgresCluster cluster)
{
    private const int Writes = 60;

    [Fact]
    public async Task A_socket_on_each_gateway_hears_every_write_of_all_in_order_and_a_drained_gateway_says_1012()
    {
        var setting = $"--Storage:Postgres={await cluster.FreshDatabase()}";
        var gateways = new List<LiveServer>();
        for (var i = 0; i < 3; i++) gateways.Add(await LiveServer.Start(setting));
        var sockets = new List<SocketClient>();
        foreach (var gateway in gateways) sockets.Add(await SocketClient.Open(gateway.Url, "ada"));
        foreach (var socket in sockets) await socket.Sync();

        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < Writes; i++) await Write(gateways[random.Next(3)], sockets, random, i);

        foreach (var socket in sockets)
        {
            while (socket.Cursor < Writes) await socket.Next();
            Assert.True(socket.Faults.Count == 0, $"seed {seed}: {string.Join("; ", socket.Faults)}");
        }

        var stopped = gateways[0].Stop();
        Assert.Equal(1012, await sockets[0].Closed());
        await stopped;
        foreach (var socket in sockets) await socket.DisposeAsync();
        foreach (var gateway in gateways) await gateway.DisposeAsync();
    }

    private static async Task Write(LiveServer gateway, List<SocketClient> sockets, Random random, int i)
    {
        if (random.Next(2) == 0)
        {
            await sockets[random.Next(3)].Mutate("GOAL_UPDATED", $"\"goal\":{{\"id\":\"g{i}\",\"updatedAt\":{i + 1}}}", $"m{i}");
            return;
        }

        using var device = gateway.Device("ada", "http");
        await device.Push($"\"goals\":[{{\"id\":\"g{i}\",\"updatedAt\":{i + 1}}}]");
    }
}
