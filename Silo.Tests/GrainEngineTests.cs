using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Engine;
using Mirubato.Tests.Support;

namespace Mirubato.Silo.Tests;

/// <summary>What every engine promises, on grains. A node is a cluster: several over one store are activations Orleans knows nothing of.</summary>
[Collection(SharesPostgres.Name)]
public sealed class GrainEngineTests(PostgresCluster postgres) : EngineContract, IDisposable
{
    private readonly SyncMetrics metrics = new();
    private readonly List<GrainCluster> clusters = [];
    private PostgresStore store = null!;

    private protected override IUserStore Store => store;

    private protected override int ModelRuns => 2;

    public override async Task InitializeAsync()
    {
        store = PostgresStore.Open(await postgres.FreshDatabase());
        await store.Migrate(Cancel);
    }

    public override async Task DisposeAsync()
    {
        foreach (var cluster in clusters) await cluster.DisposeAsync();
        await store.DisposeAsync();
    }

    public void Dispose() => metrics.Dispose();

    private protected override ISyncCoordinators Node(IUserStore? store = null, Quotas? quotas = null) =>
        Task.Run(async () =>
        {
            var cluster = await GrainCluster.Start(store ?? Store, this.store, silos: 1, metrics, Clock, quotas);
            lock (clusters) clusters.Add(cluster);
            return (await cluster.Gateway()).Coordinators;
        }).GetAwaiter().GetResult();
}
