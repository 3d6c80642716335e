using System.Diagnostics;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Sockets;
using Xunit.Abstractions;

namespace Mirubato.Tests.Faults;

/// <summary>A user with a socket on each silo of a cluster, whose coordinator is on the silo that is going to be killed.</summary>
internal sealed class KilledSiloUser : IAsyncDisposable
{
    private const string User = "grace";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMilliseconds(20);

    private readonly ITestOutputHelper output;
    private readonly Dictionary<string, HttpDevice> devices = [];
    private readonly Dictionary<string, SocketClient> sockets = [];

    private KilledSiloUser(ITestOutputHelper output) => this.output = output;

    public static async Task<KilledSiloUser> Start(ClusterScript cluster, ITestOutputHelper output)
    {
        var user = new KilledSiloUser(output);

        // A grain is placed on the silo of its first call.
        foreach (var silo in (string[])["silo-2", "silo-1", "silo-3"])
        {
            user.devices[silo] = new HttpDevice(cluster.Silo(silo), User, "phone-of-" + silo);
            await user.devices[silo].Push($"\"goals\":[{{\"id\":\"{silo}\",\"updatedAt\":1}}]");
            user.sockets[silo] = await SocketClient.Open(
                cluster.Silo(silo), User, $"userId={User}&token={user.devices[silo].Token}&deviceId=phone-of-{silo}");
            await user.sockets[silo].Sync();
        }

        Assert.Equal(3, await user.Connections("silo-1"));
        return user;
    }

    /// <summary>
    /// From the moment of the kill: reads by way of the others never fail, a write by way of each succeeds once membership has moved the
    /// coordinator, it happens once, sockets on the others hear it, and the connections of the lost silo are soon counted no more.
    /// </summary>
    public async Task AssertServedWithout(string killed)
    {
        var others = devices.Keys.Where(silo => silo != killed).ToList();
        using var done = new CancellationTokenSource();
        var readers = others.Select(silo => ReadUntil(silo, done.Token)).ToList();

        for (var i = 0; i < others.Count; i++) await Push(others[i], i);
        foreach (var silo in others)
        {
            while (sockets[silo].Cursor < devices.Count + others.Count) await sockets[silo].Next();
            Assert.Empty(sockets[silo].Faults);
        }

        foreach (var silo in others) await AssertCounted(silo, others);
        await done.CancelAsync();
        var reads = await Task.WhenAll(readers);
        output.WriteLine($"reads meanwhile: {string.Join(" and ", reads)}, none failed");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var socket in sockets.Values) await socket.DisposeAsync();
        foreach (var device in devices.Values) device.Dispose();
    }

    /// <summary>As a client does: an attempt that failed or took too long is repeated under its key.</summary>
    private async Task Push(string silo, int number)
    {
        var clock = Stopwatch.StartNew();
        var tries = 0;
        var body = $$$"""{"changes":{"goals":[{"id":"after-{{{number}}}","updatedAt":1}]}}""";
        while (true)
        {
            tries++;
            using var answer = await devices[silo].Send(HttpMethod.Post, "/api/sync/push", body, key: $"after-{number}");
            if (answer.IsSuccessStatusCode) break;
            var said = $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
            Assert.True((int)answer.StatusCode == 503 && clock.Elapsed < Patience, said);
            await Task.Delay(RetryEvery);
        }

        output.WriteLine($"push by way of {silo}: success after {clock.ElapsedMilliseconds} ms and {tries} tries");
    }

    private async Task<int> ReadUntil(string silo, CancellationToken done)
    {
        var reads = 0;
        using var timer = new PeriodicTimer(ReadEvery);
        while (!done.IsCancellationRequested)
        {
            await devices[silo].Pull();
            reads++;
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return reads;
    }

    private async Task AssertCounted(string silo, List<string> others)
    {
        var clock = Stopwatch.StartNew();
        while (await Connections(silo) != others.Count)
        {
            Assert.True(clock.Elapsed < Patience, $"{silo} counts {await Connections(silo)} connections.");
            await Task.Delay(RetryEvery);
        }

        output.WriteLine($"connections by way of {silo}: exact {clock.ElapsedMilliseconds} ms after the sockets heard of both pushes");
        var list = await devices[silo].Get("/api/sync/devices");
        var live = list.List("devices").Where(device => device.GetProperty("live").GetBoolean()).Select(device => device.Text("deviceId"));
        Assert.Equal(others.Select(other => "phone-of-" + other).Order(), live.Order());
    }

    private async Task<int> Connections(string silo) => (await devices[silo].Get("/api/sync/status")).GetProperty("connections").GetInt32();
}
