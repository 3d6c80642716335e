using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Mirubato.Gateway;

/// <summary>
/// Sends the program's meters, and those of the framework and the drivers, by OTLP, and traces of what belongs together: a request, its
/// statements and, in a cluster, its grain call. Everything is set by OpenTelemetry's own standard variables; without
/// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> nothing is sent.
/// </summary>
internal static class Telemetry
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly string[] Meters =
        ["Mirubato.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.RateLimiting", "Npgsql", "System.Runtime", "Microsoft.Orleans"];
    private static readonly string[] Sources = ["Microsoft.AspNetCore", "Npgsql", "Microsoft.Orleans.Application", "Microsoft.Orleans.Runtime"];

    public static void Configure(IServiceCollection services) =>
        services.AddHostedService(provider => new Export(provider.GetRequiredService<IConfiguration>()));

    private sealed class Export(IConfiguration configuration) : IHostedService
    {
        private MeterProvider? meters;
        private TracerProvider? traces;

        public Task StartAsync(CancellationToken cancellationToken)
        {
            if (string.IsNullOrEmpty(configuration[Endpoint])) return Task.CompletedTask;
            meters = Sdk.CreateMeterProviderBuilder().AddMeter(Meters).AddOtlpExporter().Build();
            traces = Sdk.CreateTracerProviderBuilder().AddSource(Sources).AddOtlpExporter().Build();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            meters?.Dispose();
            traces?.Dispose();
            return Task.CompletedTask;
        }
    }
}
