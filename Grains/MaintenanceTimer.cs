using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mirubato.Grains;

/// <summary>
/// Wakes the cluster's <see cref="IMaintenanceGrain"/> about once a minute. Every silo has one, so sweeps go on whichever silo is lost, and
/// the pauses are random, so that silos which started together do not call together.
/// </summary>
internal sealed class MaintenanceTimer(
    IGrainFactory grains, [FromKeyedServices(ServerClock.Key)] TimeProvider time, ILogger<MaintenanceTimer> log)
    : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan JitterMax = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(Every + (JitterMax * Random.Shared.NextDouble()), time, stoppingToken);
            await TryTick(stoppingToken);
        }
    }

    /// <summary>A silo that is leaving, or lost, fails the call; the next one finds another silo.</summary>
    private async Task TryTick(CancellationToken stopping)
    {
        try
        {
            await grains.GetGrain<IMaintenanceGrain>(0).Tick().WaitAsync(stopping);
        }
        catch (Exception failure)
        {
            if (!stopping.IsCancellationRequested) log.MaintenanceNotReached(failure.GetType().Name);
        }
    }
}
