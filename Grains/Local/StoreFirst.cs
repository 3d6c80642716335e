using Microsoft.Extensions.Hosting;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Local;

/// <summary>
/// Holds back what is started after it until the store has come and has its schema: for an engine that cannot begin without, such as one
/// that keeps the list of its members there.
/// </summary>
internal sealed class StoreFirst(IReadiness store, TimeProvider time) : IHostedService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        while (!await IsReady(cancellationToken)) await Task.Delay(LookEvery, time, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async ValueTask<bool> IsReady(CancellationToken cancel)
    {
        try
        {
            return await store.Ready(cancel);
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }
}
