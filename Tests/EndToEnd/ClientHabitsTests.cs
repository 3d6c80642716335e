using System.Net;
using Mirubato.Gateway.Options;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Silo;
using Mirubato.Tests.Sockets;

namespace Mirubato.Tests.EndToEnd;

/// <summary>What the existing clients do on an ordinary day, on a server that allows one user half of what it allows by default.</summary>
public sealed class ClientHabitsTests : IDisposable
{
    private const int Logbook = 5_000;
    private const int Tabs = 16;

    private static readonly LimitOptions Default = new();

    private readonly SqliteFolder folder = new();

    [Fact]
    public async Task A_whole_logbook_four_tabs_of_two_sockets_and_sixteen_pulls_at_once_stay_within_half_the_bounds()
    {
        await using var server = await LiveServer.Start(
            $"--Storage:SqlitePath={folder.Database}",
            $"--Limits:RequestsPerSecond={Default.RequestsPerSecond / 2}", $"--Limits:RequestBurst={Default.RequestBurst / 2}",
            $"--Limits:BodyBudgetBytes={Default.BodyBudgetBytes / 2}", $"--Limits:LargeBodiesPerUser={Default.LargeBodiesPerUser / 2}",
            $"--Limits:LiveEntities={new Quotas().LiveEntitiesMax / 2}", $"--Limits:UserBytes={new Quotas().BytesMax / 2}");
        using var laptop = server.Device("ada", "laptop");

        var entries = string.Join(',', Enumerable.Range(0, Logbook).Select(i => Entry($"e{i}")));
        var results = (await laptop.Push($"\"entries\":[{entries}]")).List("results");
        Assert.Equal(Logbook, results.Count(result => result.Text("status") == "created"));

        var sockets = new List<SocketClient>();
        for (var i = 0; i < 8; i++) sockets.Add(await SocketClient.Open(server.Url, "ada"));
        foreach (var socket in sockets) await socket.Sync(0);
        await laptop.PushEntry(Entry("next"));
        foreach (var socket in sockets) await socket.Until(frame => frame.GetRawText().Contains("\"next\"", StringComparison.Ordinal));

        var pulls = await Task.WhenAll(Enumerable.Range(0, Tabs).Select(async tab =>
        {
            using var device = server.Device("ada", $"tab-{tab}");
            using var answer = await device.Send(HttpMethod.Post, "/api/sync/pull", "{}");
            return (answer.StatusCode, (await answer.Json()).List("entries").Count);
        }));
        Assert.All(pulls, pull => Assert.Equal((HttpStatusCode.OK, Logbook + 1), pull));

        foreach (var socket in sockets) await socket.DisposeAsync();
    }

    public void Dispose() => folder.Delete();

    private static string Entry(string id) =>
        $"{{\"id\":\"{id}\",\"type\":\"practice\",\"duration\":1800,\"instrument\":\"piano\",\"notes\":\"{new string('n', 500)}\","
            + $"\"updatedAt\":{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}}}";
}
