using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Grains;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>Three silos over one PostgreSQL, balanced blindly: to a device they are one.</summary>
[Collection(SharesPostgresWithSilos.Name)]
public sealed class GatewaysTests(PostgresCluster cluster)
{
    private const int Writes = 60;
    private const int Users = 20;
    private const int DevicesOfAUser = 3;

    [Fact]
    public async Task A_socket_on_each_gateway_receives_every_write_in_order_and_a_drained_gateway_closes_with_1012()
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

    /// <summary><c>MIRUBATO_RUNS</c>: how many writes.</summary>
    [Fact]
    public async Task While_membership_is_steady_blindly_balanced_writes_lose_no_fence()
    {
        var (writes, seed) = (Fuzzed.Runs(1_200), Environment.TickCount);
        var setting = $"--Storage:Postgres={await cluster.FreshDatabase()}";
        var silos = new List<LiveServer>();
        for (var i = 0; i < 3; i++) silos.Add(await LiveServer.Start(setting));
        using var fencesLost = new Counted(silos, "mirubato.sync.fences_lost");
        using var commits = new Counted(silos, "mirubato.sync.commits");

        var each = writes / (Users * DevicesOfAUser);
        await Task.WhenAll(
            Enumerable.Range(0, Users * DevicesOfAUser).Select(i => Task.Run(() => WriteAsDevice(silos, i, each, new Random(seed + i)))));

        Assert.True(commits.Sum > 0);
        Assert.True(fencesLost.Sum == 0, $"seed {seed}: {fencesLost.Sum} of {commits.Sum} commits lost the fence.");
        foreach (var silo in silos) await silo.DisposeAsync();
    }

    private static async Task WriteAsDevice(List<LiveServer> silos, int device, int writes, Random random)
    {
        var ways = silos.ConvertAll(silo => silo.Device($"user-{device % Users}", $"device-{device}"));
        for (var i = 0; i < writes; i++)
        {
            await ways[random.Next(ways.Count)].Push($"\"goals\":[{{\"id\":\"g{device}-{i}\",\"updatedAt\":{i + 1}}}]");
        }
        foreach (var way in ways) way.Dispose();
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

    /// <summary>The sum of one counter over the silos given, and no others of this process.</summary>
    private sealed class Counted : IDisposable
    {
        private readonly MeterListener listener = new();
        private long sum;

        public Counted(List<LiveServer> silos, string counter)
        {
            var meters = silos.ConvertAll(silo => silo.Services.GetRequiredService<SyncMetrics>().Meter);
            listener.InstrumentPublished = (instrument, all) =>
            {
                if (instrument.Name == counter && meters.Contains(instrument.Meter)) all.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref sum, value));
            listener.Start();
        }

        public long Sum => Interlocked.Read(ref sum);

        public void Dispose() => listener.Dispose();
    }
}
