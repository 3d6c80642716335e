using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Silo;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;
using Orleans.TestingHost;

namespace Mirubato.Tests.Silo;

/// <summary>Silos with nothing but the maintenance grain, over one PostgreSQL database, on one clock.</summary>
internal sealed class MaintenanceCluster : IAsyncDisposable
{
    private const int TriesMax = 60;
    private readonly InProcessTestCluster cluster;

    private MaintenanceCluster(InProcessTestCluster cluster) => this.cluster = cluster;

    public IGrainFactory Grains => cluster.Client;

    private IMaintenanceGrain Maintenance => Grains.GetGrain<IMaintenanceGrain>(0);

    public static async Task<MaintenanceCluster> Start(
        short silos, string database, IStoreUpkeep store, SweepTrail trail, FakeClock clock, CapturedLogs logs)
    {
        var builder = new InProcessTestClusterBuilder(silos);
        (builder.Options.ServiceId, builder.Options.ConfigureFileLogging) = ("maintenance", false);
        builder.ConfigureSiloHost((options, host) =>
        {
            host.Logging.AddProvider(logs);
            host.Services.AddSingleton<IStoreUpkeep>(new WatchedUpkeep(store, options.SiloName, trail));
            host.Services.AddKeyedSingleton<TimeProvider>(ServerClock.Key, clock);
            host.Services.AddSingleton<SyncMetrics>();
        });
        builder.ConfigureSilo((_, silo) =>
        {
            silo.UseGrainState(database, sqlitePath: "");
            silo.FindsTheDeadSoon();
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new MaintenanceCluster(cluster);
    }

    public Task Tick() => Maintenance.Tick();

    /// <summary>As the timers of the silos do: a call into a silo that was killed fails, and the next one finds another.</summary>
    public async Task TickUntilReached()
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await Tick();
                return;
            }
            catch (Exception) when (tries < TriesMax)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100 + (10 * tries)));
            }
        }
    }

    public Task Kill(string silo) => cluster.KillSiloAsync(Silo(silo));

    public Task Stop(string silo) => cluster.StopSiloAsync(Silo(silo));

    public async ValueTask DisposeAsync()
    {
        await cluster.StopAllSilosAsync();
        await cluster.DisposeAsync();
    }

    private InProcessSiloHandle Silo(string name) => cluster.Silos.Single(silo => silo.Name == name);
}
