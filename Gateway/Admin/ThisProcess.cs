using Mirubato.Gateway.Rest;
using Mirubato.Gateway.Socket;

namespace Mirubato.Gateway.Admin;

/// <summary>This process, as the silo in it tells operators.</summary>
/// <param name="recent">Null where there are no operators: then nothing is counted for them.</param>
internal sealed class ThisProcess(
    UserSocketsRegistry sockets, Readiness readiness, IHostApplicationLifetime lifetime,
    [FromKeyedServices(ServerClock.Key)] TimeProvider time, RecentFigures? recent = null) : IProcessControl
{
    private readonly long startedMs = time.GetUtcNow().ToUnixTimeMilliseconds();

    public async ValueTask<ProcessReport> Report()
    {
        var figures = recent?.Read() ?? new FiguresWindow(0, 0, [], []);
        var trouble = sockets.IsDraining ? Readiness.Draining : await readiness.Trouble();
        return new ProcessReport(
            HealthEndpoints.Version, startedMs, trouble, sockets.SocketCount, Environment.WorkingSet, figures.CpuCores, figures.Seconds,
            figures.Counts, figures.Latencies);
    }

    public void Drain(bool draining)
    {
        if (!draining) sockets.Resume();
        else if (!sockets.IsDraining) sockets.Drain(lifetime.ApplicationStopped).Ignore();
    }
}
