using Microsoft.AspNetCore.Http.Features;
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
    private const string Sampler = "OTEL_TRACES_SAMPLER";

    /// <summary>Of the requests that come without a trace of their own. Tracing costs small requests a third of their CPU time.</summary>
    private const double SampledShare = 0.1;

    private static readonly string[] Meters =
        [
            "Mirubato.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Npgsql", "System.Runtime",
            "Microsoft.Orleans",
        ];

    /// <summary>
    /// None of Orleans: its spans name grains, which are users, and its filters for them cost more than most calls. Writes carry their span
    /// along themselves.
    /// </summary>
    private static readonly string[] Sources = [Tracing.SourceName, "Microsoft.AspNetCore", "Npgsql"];

    private static bool IsTraced(IConfiguration configuration) => !string.IsNullOrEmpty(configuration[Endpoint]);

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
        telemetry.WithTracing(traces =>
        {
            traces.AddSource(Sources).AddOtlpExporter();
            if (configuration[Sampler] is null) traces.SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(SampledShare)));
        });
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
}
