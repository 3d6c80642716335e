using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Tests.Gateway;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Mirubato.Tests.Telemetry;

/// <summary>What leaves the process by OTLP, and what it must not say.</summary>
public sealed class TelemetryTests
{
    private const string User = "ada-who-is-nobody-elses-business";

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
    public async Task A_span_of_a_grain_call_does_not_say_whose_grain_it_is()
    {
        await using var collector = await OtlpCollector.Start();
        await using var edge = await Edge.Start(collector.Settings);
        using var orleans = new ActivitySource("Microsoft.Orleans.Application");
        using (var call = orleans.StartActivity("ISyncCoordinatorGrain/Write", ActivityKind.Client))
        {
            Assert.NotNull(call);
            call.SetTag("rpc.method", "Write");
            call.SetTag("orleans.rpc.target_id", $"synccoordinator/{User}");
            call.SetTag("orleans.rpc.source_id", $"synccoordinator/{User}");
            call.SetTag("orleans.grain.id", $"synccoordinator/{User}");
            call.SetTag("exception.type", "Orleans.Runtime.SiloUnavailableException");
            call.SetTag("exception.message", $"No answer of synccoordinator/{User}");
            call.SetTag("exception.stacktrace", $"No answer of synccoordinator/{User} at …");
        }

        edge.Services.GetRequiredService<TracerProvider>().ForceFlush();

        await collector.Receives("/v1/traces", "ISyncCoordinatorGrain/Write");
        var spans = collector.Received("/v1/traces");
        Assert.Contains("rpc.method", spans, StringComparison.Ordinal);
        Assert.Contains("SiloUnavailableException", spans, StringComparison.Ordinal);
        Assert.DoesNotContain(User, spans, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_an_endpoint_nothing_is_registered()
    {
        await using var edge = await Edge.Start();

        Assert.Null(edge.Services.GetService<MeterProvider>());
        Assert.Null(edge.Services.GetService<TracerProvider>());
    }
}
