using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Mirubato.Gateway.Wire;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Orleans.Configuration;
using Orleans.TestingHost;

namespace Mirubato.Silo.Tests;

/// <summary>A cluster of silos in this process over one store. Two clusters over one store are what Orleans must never allow, and the fence must bear.</summary>
internal sealed class GrainCluster : IAsyncDisposable
{
    /// <summary>Short, so that a call into a silo that was killed is soon given up.</summary>
    private static readonly TimeSpan ResponseWithin = TimeSpan.FromSeconds(3);

    private readonly InProcessTestCluster cluster;
    private readonly CoordinatorContext context;
    private readonly PostgresStore connections;
    private readonly List<GatewayProcess> gateways = [];

    private GrainCluster(InProcessTestCluster cluster, CoordinatorContext context, PostgresStore connections) =>
        (this.cluster, this.context, this.connections) = (cluster, context, connections);

    public IReadOnlyList<InProcessSiloHandle> Silos => cluster.Silos;

    /// <param name="store">What grains commit to.</param>
    /// <param name="connections">The real store beneath.</param>
    public static async Task<GrainCluster> Start(IUserStore store, PostgresStore connections, short silos, SyncMetrics metrics, TimeProvider? time = null, Quotas? quotas = null)
    {
        var context = new CoordinatorContext(store, new WireAnswers(), quotas ?? new Quotas(), time ?? TimeProvider.System, metrics, NullLogger<SyncCoordinator>.Instance);
        var builder = new InProcessTestClusterBuilder(silos);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSiloHost((_, host) => host.Services.AddSingleton(context));
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Configure<SiloMessagingOptions>(messaging => messaging.ResponseTimeout = ResponseWithin);
            silo.Configure<ClusterMembershipOptions>(membership =>
                (membership.ProbeTimeout, membership.NumMissedProbesLimit, membership.NumVotesForDeathDeclaration) = (TimeSpan.FromSeconds(1), 2, 1));
        });
        builder.ConfigureClient(client => client.Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = ResponseWithin));
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new GrainCluster(cluster, context, connections);
    }

    public async Task<GatewayProcess> Gateway()
    {
        var gateway = await GatewayProcess.Start(cluster.Client, context, connections);
        gateways.Add(gateway);
        return gateway;
    }

    public Task Kill(InProcessSiloHandle silo) => cluster.KillSiloAsync(silo);

    public Task Stop(InProcessSiloHandle silo) => cluster.StopSiloAsync(silo);

    public Task Add() => cluster.StartAdditionalSiloAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in gateways) await gateway.DisposeAsync();
        await cluster.StopAllSilosAsync();
        await cluster.DisposeAsync();
    }
}
