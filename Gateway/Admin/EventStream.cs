using System.Text.Json;

namespace Mirubato.Gateway.Admin;

/// <summary>Places for pages that follow the figures; each asks every silo every two seconds.</summary>
internal sealed class EventWatchers() : SemaphoreSlim(Limits.AdminWatchersMax);

/// <summary>The figures of the cluster as server-sent events, until the page or the process goes.</summary>
internal static class EventStream
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    public static async Task Send(
        HttpContext http, Cluster cluster, EventWatchers watchers, IHostApplicationLifetime process,
        [FromKeyedServices(ServerClock.Key)] TimeProvider time)
    {
        if (!await watchers.WaitAsync(0)) throw new RequestRefusedException(Problem.RateLimited, "Too many pages follow the figures here.");
        try
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, process.ApplicationStopping);
            await Send(http, cluster, time, over.Token);
        }
        catch (OperationCanceledException)
        {
            // The page was closed, or the process stops.
        }
        finally
        {
            watchers.Release();
        }
    }

    private static async Task Send(HttpContext http, Cluster cluster, TimeProvider time, CancellationToken over)
    {
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        await http.Response.WriteAsync("retry: 2000\n\n", over);
        using var timer = new PeriodicTimer(Every, time);
        do
        {
            await http.Response.WriteAsync(await NextEvent(cluster, over), over);
            await http.Response.Body.FlushAsync(over);
        }
        while (await timer.WaitForNextTickAsync(over));
    }

    private static async Task<string> NextEvent(Cluster cluster, CancellationToken over)
    {
        var processes = await cluster.Silos(over);
        var figures = new EventAnswer(await cluster.Status(processes), processes.Silos, processes.Gateways);
        return $"event: figures\ndata: {JsonSerializer.Serialize(figures, AdminJson.Default.EventAnswer)}\n\n";
    }
}
