using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mirubato.Tests.Faults;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Mirubato.Tests.Gateway;

/// <summary>What leaves the process by OTLP, as a collector receives it: protobuf keeps texts as they are.</summary>
public sealed class TelemetryTests
{
    private const string User = "ada-who-is-nobody-elses-business";

    [Fact]
    public async Task Meters_and_traces_are_sent_where_an_endpoint_is_configured()
    {
        await using var collector = await Collector.Start();
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
        await using var collector = await Collector.Start();
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

    private sealed class Collector : IAsyncDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

        private readonly ConcurrentQueue<(string Path, string Body)> requests = new();
        private readonly WebApplication app;

        private Collector(WebApplication app)
        {
            this.app = app;
            app.Run(async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                requests.Enqueue((context.Request.Path, Encoding.UTF8.GetString(body.ToArray())));
            });
        }

        public string[] Settings => [$"--OTEL_EXPORTER_OTLP_ENDPOINT={app.Urls.Single()}", "--OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"];

        public static async Task<Collector> Start()
        {
            var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
            builder.Logging.ClearProviders();
            var collector = new Collector(builder.Build());
            await collector.app.StartAsync();
            return collector;
        }

        /// <summary>A flush comes back after a second also while what it sends is still under way.</summary>
        public async Task Receives(string path, string part) =>
            Assert.True(
                await Patiently.Until(() => Received(path).Contains(part, StringComparison.Ordinal), Patience),
                $"'{part}' never came to {path}.");

        public string Received(string path) =>
            string.Concat(requests.Where(request => request.Path == path).Select(request => request.Body));

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
