using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>
/// Brings the store's schema up to date before anything that is registered after it starts: the cluster's member list is in the store. A
/// store that cannot be reached is waited for. A schema newer than this build stops the start. A restore that was cut off is finished:
/// until every user has a new epoch, devices would trust revisions that are lost.
/// </summary>
internal sealed class StoreGate(
    IStoreUpkeep store, [FromKeyedServices(ServerClock.Key)] TimeProvider time, ILogger<StoreGate> log) : IHostedService, IReadiness
{
    private const int RetrySeconds = 2;

    private volatile bool isOpen;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        while (!await TryMigrate(cancellationToken)) await Task.Delay(TimeSpan.FromSeconds(RetrySeconds), time, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask<bool> Ready(CancellationToken cancel)
    {
        if (isOpen) await store.Ping(cancel);
        return isOpen;
    }

    private async Task<bool> TryMigrate(CancellationToken cancel)
    {
        try
        {
            await store.Migrate(cancel);
            if (await store.FinishRestore(cancel) is { } users) log.RestoreFinished(users);
            isOpen = true;
            log.StoreReady();
        }
        catch (StoreUnavailableException fault)
        {
            log.StoreNotReady(fault.Reason, RetrySeconds);
        }

        return isOpen;
    }
}
