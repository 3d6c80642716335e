using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Local;

/// <summary>
/// Says that this process lives and, when it stops, that it does not. Also has every room compare its head with the store now and then:
/// a hint may be lost, and so may the answer to a commit that was held.
/// </summary>
internal sealed class Heartbeat(IConnections connections, Hearing hearing, TimeProvider time, ILogger<Heartbeat> log) : BackgroundService
{
    private const int LeaveSecondsMax = 3;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(Limits.HeartbeatEveryMs);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(2);

    private readonly PeriodicTimer comparing = new(TimeSpan.FromMilliseconds(Limits.HeadsComparedEveryMs), time);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(LeaveSecondsMax));
        try
        {
            await connections.Leave(patience.Token);
        }
        catch (StoreUnavailableException fault)
        {
            log.LeaveFailed(fault.Reason);
        }
        catch (OperationCanceledException)
        {
            log.LeaveFailed("timeout");
        }
    }

    public override void Dispose()
    {
        comparing.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(Beat(stoppingToken), Compare(stoppingToken));

    private async Task Beat(CancellationToken stopping)
    {
        while (true) await Task.Delay(await TryBeat(stopping) ? Every : AfterFailure, time, stopping);
    }

    private async Task<bool> TryBeat(CancellationToken cancel)
    {
        try
        {
            await connections.Heartbeat(cancel);
            return true;
        }
        catch (StoreUnavailableException fault)
        {
            log.HeartbeatFailed(fault.Reason);
            return false;
        }
    }

    private async Task Compare(CancellationToken stopping)
    {
        while (await comparing.WaitForNextTickAsync(stopping)) hearing.Missed();
    }
}
