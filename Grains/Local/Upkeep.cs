using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains.Local;

/// <summary>
/// Brings the store's schema up to date before anything is served, then sweeps once an hour. A store that cannot be reached at start is
/// waited for: the process is up, says that it is not ready, and becomes ready by itself. A schema newer than this build stops the start.
/// </summary>
internal sealed class Upkeep(IStoreUpkeep store, TimeProvider time, ILogger<Upkeep> log) : BackgroundService, IReadiness
{
    private const int RetrySeconds = 2;
    private static readonly TimeSpan SweepEvery = TimeSpan.FromHours(1);

    private volatile bool migrated;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TryMigrate(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public async ValueTask<bool> Ready(CancellationToken cancel)
    {
        if (migrated) await store.Ping(cancel);
        return migrated;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!migrated)
        {
            await Task.Delay(TimeSpan.FromSeconds(RetrySeconds), time, stoppingToken);
            await TryMigrate(stoppingToken);
        }

        using var hourly = new PeriodicTimer(SweepEvery, time);
        do await Sweep(stoppingToken);
        while (await hourly.WaitForNextTickAsync(stoppingToken));
    }

    private async Task TryMigrate(CancellationToken cancel)
    {
        try
        {
            await store.Migrate(cancel);
            migrated = true;
            log.StoreReady();
        }
        catch (StoreUnavailableException fault)
        {
            log.StoreNotReady(fault.Reason, RetrySeconds);
        }
    }

    private async Task Sweep(CancellationToken cancel)
    {
        try
        {
            var swept = await store.Sweep(time.GetUtcNow().ToUnixTimeMilliseconds(), cancel);
            if (swept != SweepReport.Nothing) log.Swept(swept.Receipts, swept.Conflicts, swept.Tombstones, swept.Devices, swept.Tickets);
        }
        catch (StoreUnavailableException fault)
        {
            log.SweepFailed(fault);
        }
    }
}
