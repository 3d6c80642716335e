using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Mirubato.Gateway;

/// <summary>
/// Sends the program's meters, and those of the framework and the drivers, by OTLP. Everything is set by OpenTelemetry's own standard
/// variables; without <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> nothing is sent.
/// </summary>
internal static class Telemetry
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly string[] Meters =
        ["Mirubato.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.RateLimiting", "Npgsql", "System.Runtime", "Microsoft.Orleans"];

    public static void Configure(IServiceCollection services) =>
        services.AddHostedService(provider => new Export(provider.GetRequiredService<IConfiguration>()));

    private sealed class Export(IConfiguration configuration) : IHostedService
    {
        private MeterProvider? meters;

        public Task StartAsync(CancellationToken cancellationToken)
        {
            if (!string.IsNullOrEmpty(configuration[Endpoint]))
                meters = Sdk.CreateMeterProviderBuilder().AddMeter(Meters).AddOtlpExporter().Build();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            meters?.Dispose();
            return Task.CompletedTask;
        }
    }
}
