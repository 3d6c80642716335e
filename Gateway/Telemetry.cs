using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Mirubato.Gateway;

/// <summary>
/// Sends the program's meters, and those of the framework and the drivers, by OTLP, and traces of what belongs together: a request, its
/// statements and, in a cluster, its grain call. Everything is set by OpenTelemetry's own standard variables; without
/// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> nothing is registered and nothing is sent.
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
        "Microsoft.AspNetCore", "Npgsql", "Microsoft.Orleans.Application", "Microsoft.Orleans.Runtime",
    ];

    /// <summary>
    /// Without it nothing is to pay for traces: Orleans runs its filters for them on each grain call, whether anybody listens or not.
    /// </summary>
    public static bool IsConfigured(IConfiguration configuration) => !string.IsNullOrEmpty(configuration[Endpoint]);

    public static void Configure(IServiceCollection services, IConfiguration configuration)
    {
        if (!IsConfigured(configuration)) return;
        services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddMeter(Meters).AddOtlpExporter())
            .WithTracing(traces => traces.AddSource(Sources).AddProcessor(new GrainIdRemoval()).AddOtlpExporter());
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
