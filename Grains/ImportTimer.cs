using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mirubato.Grains;

/// <summary>
/// Wakes the cluster's <see cref="IImportGrain"/> every few seconds. Every silo has one, so an import goes on whichever silo is lost, and
/// the pauses are random, so that each silo gets its turn to have the grain placed in it.
/// </summary>
internal sealed class ImportTimer(
    IGrainFactory grains, [FromKeyedServices(ServerClock.Key)] TimeProvider time, ILogger<ImportTimer> log)
    : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan JitterMax = TimeSpan.FromSeconds(1);

    private bool isReached = true;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(Every + (JitterMax * Random.Shared.NextDouble()), time, stoppingToken);
            while (await TryTick(stoppingToken)) { }
        }
    }

    /// <summary>
    /// A silo that is leaving, or lost, fails the call, and so does a store that is away; the next one finds another silo. Of a series of
    /// failures the first is logged.
    /// </summary>
    private async Task<bool> TryTick(CancellationToken stopping)
    {
        try
        {
            var hasMore = await grains.GetGrain<IImportGrain>(0).Tick().WaitAsync(stopping);
            isReached = true;
            return hasMore;
        }
        catch (Exception failure)
        {
            if (isReached && !stopping.IsCancellationRequested) log.ImportNotReached(failure.GetType().Name);
            isReached = false;
            return false;
        }
    }
}
