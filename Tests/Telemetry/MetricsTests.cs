using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Gateway;
using Mirubato.Grains;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Docs;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Sockets;
using OpenTelemetry.Metrics;

namespace Mirubato.Tests.Telemetry;

/// <summary>
/// Every figure of docs/operations.md, as it leaves a whole server. Alone: OpenTelemetry takes meters of one name for one, so a server that
/// ends beside this one silences it.
/// </summary>
[Collection("alone")]
public sealed class MetricsTests : IDisposable
{
    private const string User = "ada-who-is-nobody-elses-business";
    private const string AdminSecret = "an admin's secret of length";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-metrics-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_collector_receives_every_documented_metric()
    {
        await using var collector = await OtlpCollector.Start();
        await using var server = await Start(collector.Settings);
        await Use(server);
        Touch(server);
        var documented = MarkdownTable.Rows(MarkdownTable.Section(SourceTree.Read("docs/operations.md"), "## Metrics")).Keys;

        server.Services.GetRequiredService<MeterProvider>().ForceFlush();

        var came = await Patiently.Until(() => !documented.Except(collector.Metrics()).Any(), Patience);
        Assert.True(came, $"These never came: {string.Join(", ", documented.Except(collector.Metrics()))}.");
    }

    [Fact]
    public async Task Prometheus_reads_the_same_and_only_with_the_secret()
    {
        await using var server = await Start();
        await Use(server);
        using var client = new HttpClient { BaseAddress = server.Url };

        using var refused = await client.GetAsync("/metrics");
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"prometheus:{AdminSecret}")));
        using var answer = await client.GetAsync("/metrics");
        var text = await answer.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Empty(await refused.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var names = Parse(text);
        foreach (
            var name in (string[])
            [
                "mirubato_sync_commits", "mirubato_sync_commit_duration_seconds_bucket", "mirubato_gateway_operation_duration_seconds_sum",
                "mirubato_gateway_fan_out_duration_seconds_count", "mirubato_sync_coordinators", "http_server_request_duration_seconds_count",
            ])
            Assert.Contains(names, line => line.StartsWith(name, StringComparison.Ordinal));
        Assert.DoesNotContain(User, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_operators_there_is_no_such_address()
    {
        await using var server = await LiveServer.Start($"--Storage:SqlitePath={Path.Combine(folder, "sync.db")}");
        using var client = new HttpClient { BaseAddress = server.Url };

        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/metrics")).StatusCode);
    }

    [Fact]
    public async Task Items_conflicts_duplicates_and_clocks_are_counted_by_reason()
    {
        await using var server = await Start();
        using var figures = new CountedFigures(server.Services.GetRequiredService<SyncMetrics>().Meter);
        using var phone = server.Device("ada", "phone");
        using var tablet = server.Device("ada", "tablet");
        using var old = server.Device("ada", null);
        var ahead = DateTimeOffset.UtcNow.AddDays(1).ToString("O", CultureInfo.InvariantCulture);

        await phone.PushEntry("""{"id":"e1","notes":"a","updatedAt":"2026-01-02T00:00:00.000Z"}""");
        await phone.PushEntry("""{"id":"e1","notes":"a","updatedAt":"2026-01-02T00:00:00.000Z"}""");
        await old.PushEntry("""{"id":"e1","notes":"the twin","updatedAt":"2026-01-02T00:00:00.000Z"}""");
        await tablet.PushEntry("""{"id":"e1","notes":"b","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        await tablet.PushEntry($$"""{"id":"e2","updatedAt":"{{ahead}}"}""");
        await tablet.PushEntry("{}");

        Assert.Equal(2, figures["mirubato.sync.items", "created"]);
        Assert.Equal(2, figures["mirubato.sync.items", "unchanged"]);
        Assert.Equal(1, figures["mirubato.sync.items", "conflict"]);
        Assert.Equal(1, figures["mirubato.sync.items", "refused"]);
        Assert.Equal(1, figures["mirubato.sync.item_refusals", "invalid"]);
        Assert.Equal(1, figures["mirubato.sync.duplicates", "same"]);
        Assert.Equal(1, figures["mirubato.sync.duplicates", "twin"]);
        Assert.Equal(1, figures["mirubato.sync.conflicts", "stale"]);
        Assert.Equal(1, figures["mirubato.sync.clamped_clocks", "far_ahead"]);
    }

    /// <summary>The other tests of this process have meters of the same names, and their figures count towards the bound.</summary>
    private async Task<LiveServer> Start(params string[] more) => await LiveServer.StartWith(
        services => services.ConfigureOpenTelemetryMeterProvider(metrics => metrics.SetMaxMetricStreams(100_000)),
        $"--Storage:SqlitePath={Path.Combine(folder, "sync.db")}", [$"--Admin:Secret={AdminSecret}", .. more]);

    /// <summary>A pull, a conflict, a duplicate, a replay, a refusal, a future clock, and a socket that receives it.</summary>
    private static async Task Use(LiveServer server)
    {
        await using var socket = await SocketClient.Open(server.Url, User);
        await socket.Next("WELCOME");
        await socket.Sync();
        using var phone = server.Device(User, "phone");
        for (var i = 0; i < 2; i++)
        {
            using var answer = await phone.Send(
                HttpMethod.Post, "/api/sync/push", """
                {"changes":{"entries":[{"id":"e1","updatedAt":"2926-01-01T00:00:00.000Z"},{}]}}
                """, "key", ("X-Sync-Unsent-Age", "3600"));
            answer.EnsureSuccessStatusCode();
        }

        await phone.PushEntry("""{"id":"e1","updatedAt":"2926-01-01T00:00:00.000Z"}""");
        await phone.PushEntry("""{"id":"e1","notes":"later","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        await phone.Pull();
        await phone.FindStatus(HttpMethod.Get, "/api/nothing");
        await socket.Next("ENTRY_CREATED");
    }

    /// <summary>What only an accident brings about.</summary>
    private static void Touch(LiveServer server)
    {
        var (sync, gateway) = (
            server.Services.GetRequiredService<SyncMetrics>(), server.Services.GetRequiredService<GatewayMetrics>());
        foreach (var counter in (System.Diagnostics.Metrics.Counter<long>[])
            [sync.FencesLost, sync.ObserversLost, sync.Confirmations, sync.MergeFallbacks, gateway.NotModified, gateway.Overflows])
            counter.Add(0);
        sync.Faulted("unreachable");
        sync.Swept(SweepStep.Receipts, 0);
        gateway.StoreFailed("unreachable");
        gateway.SocketRefused(429);
        gateway.SocketClosed(1012);
    }

    /// <summary>The lines of samples, each of the text format's form; a line that is none fails.</summary>
    private static List<string> Parse(string text)
    {
        var samples = new List<string>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith('#'))
            {
                Assert.Matches(@"^# (TYPE|HELP|UNIT|EOF)\b", line);
                continue;
            }

            var sample = Regex.Match(
                line, """^[a-zA-Z_:][a-zA-Z0-9_:]*(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (?<value>\S+)(?: \d+)?$""");
            Assert.True(sample.Success, $"No sample: {line}");
            var value = sample.Groups["value"].Value;
            Assert.True(value is "NaN" or "+Inf" or "-Inf" || double.TryParse(value, CultureInfo.InvariantCulture, out _), line);
            samples.Add(line);
        }

        return samples;
    }
}
