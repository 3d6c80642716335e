using Microsoft.Extensions.DependencyInjection;
using Mirubato.Tests.Gateway;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Mirubato.Tests.Telemetry;

/// <summary>What leaves the process by OTLP, and what it must not say.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public async Task Meters_and_traces_are_sent_where_an_endpoint_is_configured()
    {
        await using var collector = await OtlpCollector.Start();
        await using var edge = await Edge.Start(collector.Settings);
        (await edge.Get("/api/sync/status")).EnsureSuccessStatusCode();
        (await edge.Get("/api/sync/nothing")).Dispose();

        edge.Services.GetRequiredService<MeterProvider>().ForceFlush();
        edge.Services.GetRequiredService<TracerProvider>().ForceFlush();

        await collector.Receives("/v1/metrics", "mirubato.gateway.body_bytes");
        await collector.Receives("/v1/metrics", "http.server.request.duration");
        await collector.Receives("/v1/traces", "Microsoft.AspNetCore");
    }

    [Fact]
    public async Task Without_an_endpoint_nothing_is_registered()
    {
        await using var edge = await Edge.Start();

        Assert.Null(edge.Services.GetService<MeterProvider>());
        Assert.Null(edge.Services.GetService<TracerProvider>());
    }
}
