using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Grains.Storage.Sqlite;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>The contract on real silos. The tests of a class share its clusters and its database; each has a user of its own.</summary>
public abstract class ClusterEngineContract(ClusterNodes nodes) : EngineContract
{
    private readonly List<GrainCluster> own = [];
    private int taken;

    private protected override IUserStore Store => nodes.Store;

    private protected override FakeClock Clock => nodes.Clock;

    private protected override int ModelRuns => 5;

    public override Task InitializeAsync() => Task.CompletedTask;

    public override async Task DisposeAsync()
    {
        foreach (var cluster in own) await cluster.DisposeAsync();
    }

    private protected override INode Node(IUserStore? store = null, Quotas? quotas = null)
    {
        if (store is null && quotas is null) return nodes[taken++];
        own.Add(GrainCluster.Start(store ?? Store, Clock, quotas).GetAwaiter().GetResult());
        return own[^1];
    }
}

public sealed class SqliteClusterTests(SqliteNodes nodes) : ClusterEngineContract(nodes), IClassFixture<SqliteNodes>;

[Collection(SharesPostgresWithSilos.Name)]
public sealed class PostgresClusterTests(PostgresNodes nodes) : ClusterEngineContract(nodes), IClassFixture<PostgresNodes>;

/// <summary>As many clusters as a test asks for at most, over one store and on one clock.</summary>
public abstract class ClusterNodes : IAsyncLifetime
{
    private const int NodesMax = 4;
    private GrainCluster[] clusters = [];

    internal FakeClock Clock { get; } = new();

    internal IUserStore Store { get; private protected set; } = null!;

    internal INode this[int i] => clusters[i % NodesMax];

    public async Task InitializeAsync()
    {
        Store = await Open();
        clusters = await Task.WhenAll(Enumerable.Range(0, NodesMax).Select(_ => GrainCluster.Start(Store, Clock)));
    }

    public async Task DisposeAsync()
    {
        foreach (var cluster in clusters) await cluster.DisposeAsync();
        await ((IAsyncDisposable)Store).DisposeAsync();
        Close();
    }

    private protected abstract Task<IUserStore> Open();

    private protected virtual void Close() { }
}

public sealed class PostgresNodes(PostgresCluster postgres) : ClusterNodes
{
    private protected override async Task<IUserStore> Open()
    {
        var store = PostgresStore.Open(await postgres.FreshDatabase());
        await store.Migrate(CancellationToken.None);
        return store;
    }
}

public sealed class SqliteNodes : ClusterNodes
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-cluster-").FullName;

    private protected override async Task<IUserStore> Open()
    {
        var store = SqliteStore.Open(Path.Combine(directory, "sync.db"));
        await store.Migrate(CancellationToken.None);
        return store;
    }

    private protected override void Close() => Directory.Delete(directory, recursive: true);
}
