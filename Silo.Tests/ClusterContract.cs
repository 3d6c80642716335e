using System.Text;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Support;

namespace Mirubato.Silo.Tests;

/// <summary>What tests of whole clusters share: a database, one user who writes with retries, and the checks of a history.</summary>
public abstract class ClusterContract(PostgresCluster postgres) : IAsyncLifetime
{
    protected static readonly CancellationToken Cancel = CancellationToken.None;
    private readonly List<GrainCluster> clusters = [];

    private protected SyncMetrics Metrics { get; } = new();

    private protected PostgresStore Store { get; private set; } = null!;

    private protected UserId User { get; } = new($"user-{Guid.NewGuid():n}");

    public async Task InitializeAsync()
    {
        Store = PostgresStore.Open(await postgres.FreshDatabase());
        await Store.Migrate(Cancel);
    }

    public async Task DisposeAsync()
    {
        foreach (var cluster in clusters) await cluster.DisposeAsync();
        await Store.DisposeAsync();
        Metrics.Dispose();
    }

    private protected async Task<GrainCluster> Cluster(short silos, IUserStore? store = null)
    {
        var cluster = await GrainCluster.Start(store ?? Store, Store, silos, Metrics);
        clusters.Add(cluster);
        return cluster;
    }

    /// <summary>The same each time it is asked for, as a retry is.</summary>
    private protected static WriteRequest Push(UserId user, string key, string id)
    {
        var document = Encoding.UTF8.GetBytes($$"""{"id":"{{id}}","name":"v","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        return new WriteRequest(new Caller(user, new DeviceId("d1"), long.MaxValue), WriteScope.Push, key, document, [new Change("goal", null, document)]);
    }

    /// <summary>As a client does: what has no answer is sent again under its key, until it has one.</summary>
    private protected static async Task<WriteAnswer> Insist(ISyncCoordinator coordinator, WriteRequest request)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await coordinator.Write(request, Cancel);
            }
            catch (StoreUnavailableException) when (attempt < 30)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100 + (10 * attempt)));
            }
        }
    }

    /// <summary>Revisions from one on without a gap, each given once, and all that was acknowledged is there.</summary>
    private protected async Task AssertHistory(UserId user, IEnumerable<string> acknowledged)
    {
        var page = await Store.Read(user, null, new ReadQuery { Rows = 100_000 }, 0, Cancel);
        Assert.Equal(Enumerable.Range(1, page.Rows.Count).Select(seq => (long)seq), page.Rows.Select(row => row.Seq).Order());
        Assert.Equal(page.Rows.Count, page.Standing.Last.Number);
        Assert.Equal(acknowledged.Order(StringComparer.Ordinal), page.Rows.Select(row => row.Entity.Id).Order(StringComparer.Ordinal));
    }
}
