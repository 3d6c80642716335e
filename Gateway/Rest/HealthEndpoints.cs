using Mirubato.Gateway.Http;
using Mirubato.Gateway.Socket;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>
/// Live: the process answers. Ready: it can serve, its store included. <c>/health</c> tells of both, but stays 200 while only the store
/// is away: restarting this process would not bring the store back.
/// </summary>
internal static class HealthEndpoints
{
    public const string Service = "mirubato-sync";
    public const string LivePath = "/health/live";

    public static readonly string Version = typeof(HealthEndpoints).Assembly.GetName().Version?.ToString(3) ?? "0";

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        var health = app.MapGroup("").WithTags("health");
        health.MapGet("/health", Health).Says("The process answers; status tells whether the store does.").Gives<HealthAnswer>();
        foreach (var path in (string[])[LivePath, "/livez"])
        {
            health.MapGet(path, Live).Says("The process answers.").Gives<HealthAnswer>();
        }
        foreach (var path in (string[])["/health/ready", "/readyz"])
            health.MapGet(path, Ready)
                .Says("The server can serve; 503 while its store is away, degraded while that takes no writes.")
                .Gives<HealthAnswer>()
                .Produces<HealthAnswer>(503);
    }

    private static async Task Health(HttpContext http, Readiness readiness)
    {
        var trouble = await readiness.Trouble();
        await Answer(http, 200, trouble is null ? "healthy" : "degraded", trouble);
    }

    private static Task Live(HttpContext http, IHostEnvironment _) => Answer(http, 200, "healthy");

    /// <summary>While the store takes no writes this server stays in its balancer: what else would serve the reads?</summary>
    private static async Task Ready(HttpContext http, Readiness readiness, UserSocketsRegistry sockets)
    {
        var trouble = sockets.IsDraining ? Readiness.Draining : await readiness.Trouble();
        var (status, word) = trouble switch
        {
            null => (200, "healthy"),
            "read_only" or "full" => (200, "degraded"),
            _ => (503, "unhealthy"),
        };
        await Answer(http, status, word, trouble);
    }

    private static Task Answer(HttpContext http, int status, string word, string? reason = null)
    {
        var services = http.RequestServices;
        var now = services.GetRequiredKeyedService<TimeProvider>(ServerClock.Key).GetUtcNow();
        var environment = services.GetRequiredService<IHostEnvironment>().EnvironmentName;
        var answer = new HealthAnswer(Service, word, IsoTime.Text(now), environment.ToLowerInvariant(), Version, reason);
        return http.Answer(answer, WireJson.Default.HealthAnswer, status);
    }
}
