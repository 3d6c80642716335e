using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.EndToEnd;

/// <summary>
/// The store is killed and comes back while clients write: what was acknowledged is there, what was not may be sent again, nothing happens
/// twice.
/// </summary>
public sealed class StoreOutageTests
{
    private const int Writers = 8;
    private const int Users = 2;

    [Fact]
    public async Task A_store_killed_under_load_costs_only_503s_and_no_acknowledged_change()
    {
        var cluster = await PostgresCluster.StartOwn(fsync: true);
        try
        {
            await using var server = await LiveServer.Start($"--Storage:Postgres={await cluster.FreshDatabase()}");
            await Play(cluster, server);
        }
        finally
        {
            await cluster.DisposeAsync();
        }
    }

    private static async Task Play(PostgresCluster cluster, LiveServer server)
    {
        var (acknowledged, others) = (new Counted<string>(), new Counted<HttpStatusCode>());
        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(0, Writers).Select(w => Write(server, w, acknowledged, others, stop.Token)).ToList();

        await acknowledged.Reach(100);
        await cluster.Kill();
        await others.Reach(20);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Ready(server));
        await cluster.Start();
        await acknowledged.Reach(acknowledged.All.Count + 100);
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        Assert.All(others.All, status => Assert.Equal(HttpStatusCode.ServiceUnavailable, status));
        for (var user = 0; user < Users; user++) await AssertStored(server, user, acknowledged.All);
    }

    private static async Task AssertStored(LiveServer server, int user, IEnumerable<string> acknowledged)
    {
        using var device = server.Device("user" + user, "reader");
        var pulled = await device.Pull();
        var stored = pulled.List("goals").Select(g => g.Text("id")!).ToHashSet();
        Assert.DoesNotContain(acknowledged, id => id.StartsWith($"u{user}-", StringComparison.Ordinal) && !stored.Contains(id));
        // Each stored change took one revision: none happened twice.
        Assert.Equal(stored.Count, pulled.GetProperty("lastSeq").GetInt64());
    }

    /// <summary>Writes one goal after the other, each under its key until it is acknowledged.</summary>
    private static async Task Write(
        LiveServer server, int writer, Counted<string> acknowledged, Counted<HttpStatusCode> others, CancellationToken stop)
    {
        var user = writer % Users;
        using var device = server.Device("user" + user, "w" + writer);
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var id = $"u{user}-w{writer}-{i}";
            var body = JsonSerializer.Serialize(new { changes = new { goals = new[] { new { id, updatedAt = 1 } } } });
            while (!stop.IsCancellationRequested)
            {
                using var response = await device.Send(HttpMethod.Post, "/api/sync/push", body, id);
                if (response.StatusCode is HttpStatusCode.OK)
                {
                    acknowledged.Add(id);
                    break;
                }

                others.Add(response.StatusCode);
            }
        }
    }

    private static async Task<HttpStatusCode> Ready(LiveServer server)
    {
        using var client = new HttpClient { BaseAddress = server.Url };
        using var response = await client.GetAsync("/health/ready");
        return response.StatusCode;
    }

    /// <summary>What has come so far, and a wait for there to be more.</summary>
    private sealed class Counted<T>
    {
        private readonly ConcurrentQueue<T> all = new();
        private readonly Channel<T> arrivals = Channel.CreateUnbounded<T>();

        public IReadOnlyCollection<T> All => all;

        public void Add(T one)
        {
            all.Enqueue(one);
            arrivals.Writer.TryWrite(one);
        }

        public async Task Reach(int count)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (all.Count < count) await arrivals.Reader.ReadAsync(patience.Token);
        }
    }
}
