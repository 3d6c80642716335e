using System.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Mirubato.Gateway;

/// <summary>
/// Sends the program's meters, and those of the framework and the drivers, by OTLP, and traces: from a request or a frame through its grain
/// call, its commit and its statements to the sockets that were told, across silos. Everything is set by OpenTelemetry's own standard
/// variables. Operators can also collect the meters at <c>/metrics</c>. Without <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and without operators
/// nothing is registered.
/// </summary>
internal static class Telemetry
{
    public const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly string[] Meters =
        [
            "Mirubato.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.RateLimiting",
            "Npgsql", "System.Runtime", "Microsoft.Orleans",
        ];
    private static readonly string[] Sources =
    [
        // Not Microsoft.Orleans.Runtime: it has a span for each tick of each timer.
        Tracing.SourceName, "Microsoft.AspNetCore", "Npgsql", "Microsoft.Orleans.Application",
    ];

    /// <summary>
    /// Without it nothing is to pay for traces: Orleans runs its filters for them on each grain call, whether anybody listens or not.
    /// </summary>
    public static bool IsTraced(IConfiguration configuration) => !string.IsNullOrEmpty(configuration[Endpoint]);

    public static void Configure(IServiceCollection services, IConfiguration configuration, bool hasOperators)
    {
        var isTraced = IsTraced(configuration);
        if (!isTraced && !hasOperators) return;
        var telemetry = services.AddOpenTelemetry().WithMetrics(metrics =>
        {
            metrics.AddMeter(Meters);
            if (isTraced) metrics.AddOtlpExporter();
            if (hasOperators) metrics.AddPrometheusExporter();
        });
        if (!isTraced) return;
        telemetry.WithTracing(traces => traces.AddSource(Sources).AddProcessor(new GrainIdRemoval()).AddOtlpExporter());
    }

    /// <summary>A request's span is named by its route. Its path is left out, because a path may hold ids.</summary>
    public static void NameSpans(WebApplication app)
    {
        if (!IsTraced(app.Configuration)) return;
        app.Use((http, next) =>
        {
            var span = http.Features.Get<IHttpActivityFeature>()?.Activity;
            if (span is not null && http.GetEndpoint() is RouteEndpoint { RoutePattern: var route })
            {
                span.DisplayName = $"{http.Request.Method} {route.RawText}";
            }
            return next(http);
        });
    }

    /// <summary>Takes out of Orleans's spans what names a grain, because grain ids are user ids. It comes before the exporter.</summary>
    private sealed class GrainIdRemoval : BaseProcessor<Activity>
    {
        // The text of an exception of Orleans names the grain that was called. Its type stays.
        private static readonly string[] Tags =
        [
            "orleans.rpc.target_id", "orleans.rpc.source_id", "orleans.grain.id", "exception.message", "exception.stacktrace",
        ];

        public override void OnEnd(Activity data)
        {
            if (!data.Source.Name.StartsWith("Microsoft.Orleans", StringComparison.Ordinal)) return;
            foreach (var tag in Tags) data.SetTag(tag, null);
        }
    }
}
