namespace Mirubato.Gateway.Admin;

/// <summary>A process without a silo says every few seconds that it is there, so that operators see it.</summary>
internal sealed class GatewayReports(
    IGrainFactory grains, ProcessIdentity identity, IProcessControl process, [FromKeyedServices(ServerClock.Key)] TimeProvider time)
    : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(Limits.GatewayReportMs);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (identity.Silo is not null) return;
        using var timer = new PeriodicTimer(Every, time);
        do
        {
            try
            {
                var report = new GatewayReport(identity.Name, Environment.MachineName, await process.Report());
                await grains.GetGrain<IGatewayListGrain>(0).Report(report).WaitAsync(stoppingToken);
            }
            catch (Exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The silo of that grain is gone or busy; the next report finds another.
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
