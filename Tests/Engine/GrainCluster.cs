using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Mirubato.Gateway.Wire;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Orleans.TestingHost;

namespace Mirubato.Tests.Engine;

/// <summary>
/// A cluster of one silo in this process, which is called through an Orleans client: every request and answer is serialized. Several
/// clusters over one store are the second activations that the fence makes harmless.
/// </summary>
internal sealed class GrainCluster : INode, IAsyncDisposable
{
    private readonly InProcessTestCluster cluster;
    private readonly CoordinatorContext context;

    private GrainCluster(InProcessTestCluster cluster, CoordinatorContext context) => (this.cluster, this.context) = (cluster, context);

    public static async Task<GrainCluster> Start(IUserStore store, TimeProvider time, Quotas? quotas = null)
    {
        var context = new CoordinatorContext(
            store, new WireAnswers(), quotas ?? new Quotas(), time, new SyncMetrics(), NullLogger<SyncCoordinatorGrain>.Instance);
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSiloHost((_, host) => host.Services.AddSingleton(context));
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new GrainCluster(cluster, context);
    }

    public Coordinator For(UserId user) => new(
        user, cluster.Client.GetGrain<ISyncCoordinatorGrain>(user.Value), cluster.Client.GetGrain<IUserStatusGrain>(user.Value),
        cluster.Client.GetGrain<IUserConnectionsGrain>(user.Value), new UserReader(context, null!));

    public async ValueTask DisposeAsync()
    {
        await cluster.StopAllSilosAsync();
        await cluster.DisposeAsync();
        context.Devices.Dispose();
        context.Metrics.Dispose();
    }
}
