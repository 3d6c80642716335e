using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>The store goes away and comes back; sockets stay, and nothing is sent that was not stored.</summary>
[Collection(SharesPostgresWithSilos.Name)]
public sealed class SocketOutageTests
{
    [Fact]
    public async Task While_the_store_is_away_sockets_stay_and_open_and_afterwards_all_goes_on()
    {
        await using var cluster = await Own.Start();
        await using var server = await LiveServer.Start($"--Storage:Postgres={await cluster.Cluster.FreshDatabase()};Timeout=2");
        await using var a = await SocketClient.Open(server.Url, "ada");
        await using var b = await SocketClient.Open(server.Url, "ada");
        await a.Sync();
        await b.Sync();
        await a.Mutate("ENTRY_CREATED", "\"entry\":{\"id\":\"before\"}");
        await b.Next("ENTRY_CREATED");

        await cluster.Cluster.Stop();
        var refused = await a.Mutate("ENTRY_CREATED", "\"entry\":{\"id\":\"during\"}", "kept");
        Assert.Equal("UNAVAILABLE", refused.GetProperty("code").GetString());
        Assert.True(refused.GetProperty("retryable").GetBoolean());
        await using var late = await SocketClient.Open(server.Url, "ada");
        await late.Next("WELCOME");
        await late.Ask();
        Assert.Empty(await b.Settle());

        await cluster.Cluster.Start();
        Assert.Equal("BULK_SYNC", SocketClient.Type(await late.Next()));
        var stored = await a.Mutate("ENTRY_CREATED", "\"entry\":{\"id\":\"during\"}", "kept");
        Assert.Equal("created", stored.GetProperty("status").GetString());
        Assert.Equal("during", (await b.Next("ENTRY_CREATED")).GetProperty("entry").GetProperty("id").GetString());
        Assert.Empty(a.Faults.Concat(b.Faults).Concat(late.Faults));
    }

    private sealed class Own(PostgresCluster cluster) : IAsyncDisposable
    {
        public PostgresCluster Cluster => cluster;

        public static async Task<Own> Start() => new(await PostgresCluster.StartOwn(fsync: false));

        public async ValueTask DisposeAsync() => await cluster.DisposeAsync();
    }
}
