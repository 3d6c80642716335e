using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Mirubato.Tests.Faults;

namespace Mirubato.Tests.Telemetry;

/// <summary>What leaves processes by OTLP, as a collector receives it.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<(string Path, byte[] Body)> requests = new();
    private readonly WebApplication app;

    private OtlpCollector(WebApplication app)
    {
        this.app = app;
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            requests.Enqueue((context.Request.Path.Value!, body.ToArray()));
        });
    }

    public string[] Settings =>
    [
        $"--OTEL_EXPORTER_OTLP_ENDPOINT={app.Urls.Single()}", "--OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        "--OTEL_BSP_SCHEDULE_DELAY=200", "--OTEL_METRIC_EXPORT_INTERVAL=500",
        "--OTEL_TRACES_SAMPLER=always_on",
    ];

    public static async Task<OtlpCollector> Start()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        var collector = new OtlpCollector(builder.Build());
        await collector.app.StartAsync();
        return collector;
    }

    /// <summary>Protobuf keeps texts as they are. A flush comes back after a second also while what it sends is still under way.</summary>
    public async Task Receives(string path, string part) =>
        Assert.True(
            await Patiently.Until(() => Received(path).Contains(part, StringComparison.Ordinal), Patience),
            $"'{part}' never came to {path}.");

    public string Received(string path) => string.Concat(Bodies(path).Select(Encoding.UTF8.GetString));

    /// <summary>The spans that came, each once.</summary>
    public IReadOnlyList<OtlpSpan> Spans() => [.. Bodies("/v1/traces").SelectMany(OtlpSpan.Read).DistinctBy(span => span.Id)];

    /// <summary>Waits until the spans that came hold what is looked for.</summary>
    public async Task<IReadOnlyList<OtlpSpan>> Spans(Func<IReadOnlyList<OtlpSpan>, bool> hold)
    {
        IReadOnlyList<OtlpSpan> spans = [];
        var came = await Patiently.Until(() => hold(spans = Spans()), Patience);
        Assert.True(came, $"What was looked for is not among:\n{string.Join('\n', spans)}");
        return spans;
    }

    public IReadOnlySet<string> Metrics() => Bodies("/v1/metrics").SelectMany(OtlpSpan.ReadMetrics).ToHashSet();

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private IEnumerable<byte[]> Bodies(string path) => requests.Where(request => request.Path == path).Select(request => request.Body);
}
