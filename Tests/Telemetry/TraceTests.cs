using System.Diagnostics;
using Mirubato.Bench;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Silo;
using Mirubato.Tests.Sockets;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Telemetry;

/// <summary>Two processes over one database, and what a collector receives of both.</summary>
[Collection(SharesPostgresWithSilos.Name)]
public sealed class TraceTests(PostgresCluster postgres)
{
    private const string User = "ada-who-is-nobody-elses-business";

    [Fact]
    public async Task One_trace_leads_from_a_request_or_a_frame_over_the_commit_to_the_sockets_of_both_silos()
    {
        await using var collector = await OtlpCollector.Start();
        var database = await postgres.FreshDatabase();
        await using var first = await Start("first", database, collector);
        await using var second = await Start("second", database, collector);
        // The first report of a connection makes the coordinator, in the process it comes from.
        await using var near = await Live(first);
        await using var far = await Live(second);

        var trace = ActivityTraceId.CreateRandom().ToHexString();
        await Push(second, $"00-{trace}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
        foreach (var socket in (SocketClient[])[near, far]) await socket.Next("ENTRY_CREATED");
        var pushed = await collector.Spans(spans => IsWhole(spans, trace, "POST /api/sync/push"));
        await near.Mutate(
            "ENTRY_CREATED", """
            "entry":{"id":"e2","updatedAt":"2026-01-01T00:00:00.000Z"}
            """);
        await far.Next("ENTRY_CREATED");
        var written = await collector.Spans(spans => MutationOf(spans) is { } mutation && IsWhole(spans, mutation.Trace, "mutation"));

        AssertLeads(pushed, trace, from: ("second", "POST /api/sync/push"));
        AssertLeads(written, MutationOf(written)!.Trace, from: ("first", "mutation"));
        Assert.NotEqual(trace, MutationOf(written)!.Trace);
        foreach (var path in (string[])["/v1/traces", "/v1/metrics"])
            Assert.DoesNotContain(User, collector.Received(path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_no_trace_asked_for_has_no_span()
    {
        await using var collector = await OtlpCollector.Start();
        await using var silo = await Start(
            "only", await postgres.FreshDatabase(), collector, "--OTEL_TRACES_SAMPLER=parentbased_always_on");
        await using var socket = await Live(silo);
        await Push(silo, $"00-{ActivityTraceId.CreateRandom().ToHexString()}-{ActivitySpanId.CreateRandom().ToHexString()}-00", "e1");
        await socket.Next("ENTRY_CREATED");

        var trace = ActivityTraceId.CreateRandom().ToHexString();
        await Push(silo, $"00-{trace}-{ActivitySpanId.CreateRandom().ToHexString()}-01", "e2");
        await socket.Next("ENTRY_CREATED");
        var spans = await collector.Spans(found => found.Any(span => span.Trace == trace && span.Name == "announce"));

        string[] product = ["write", "commit", "transaction", "announce"];
        Assert.All(spans.Where(span => product.Contains(span.Name)), span => Assert.Equal(trace, span.Trace));
    }

    private static OtlpSpan? MutationOf(IReadOnlyList<OtlpSpan> spans) => spans.FirstOrDefault(span => span.Name == "mutation");

    /// <summary>Each process sends its part when it likes.</summary>
    private static bool IsWhole(IReadOnlyList<OtlpSpan> spans, string trace, string root)
    {
        var names = spans.Where(span => span.Trace == trace).Select(span => (span.Service, span.Name)).ToList();
        return names.Exists(name => name.Name == root)
            && names.Contains(("first", "commit")) && names.Contains(("first", "transaction")) && names.Contains(("first", "broadcast"))
            && names.Contains(("first", "announce")) && names.Contains(("second", "announce"));
    }

    private static void AssertLeads(IReadOnlyList<OtlpSpan> all, string trace, (string Service, string Name) from)
    {
        var spans = all.Where(span => span.Trace == trace).ToDictionary(span => span.Id);
        foreach (var service in (string[])["first", "second"])
        {
            var announced = Assert.Single(spans.Values, span => span.Service == service && span.Name == "announce");
            var way = Up(announced).Select(span => (span.Service, span.Name)).ToList();
            Assert.Contains(("first", "commit"), way);
            Assert.Contains(from, way);
        }

        Assert.Contains(Up(Assert.Single(spans.Values, span => span.Name == "transaction")), span => span.Name == "commit");
        var grainCall = Up(Assert.Single(spans.Values, span => span.Name == "commit"));
        Assert.Contains(grainCall, span => span.Name.Contains("Write", StringComparison.OrdinalIgnoreCase));

        IEnumerable<OtlpSpan> Up(OtlpSpan? span)
        {
            for (; span is not null; span = spans.GetValueOrDefault(span.Parent)) yield return span;
        }
    }

    private static async Task Push(SiloProcess silo, string traceParent, string id = "e1")
    {
        using var phone = new HttpDevice(silo.Url, User, "phone");
        using var answer = await phone.Send(
            HttpMethod.Post, "/api/sync/push", $$$"""
            {"changes":{"entries":[{"id":"{{{id}}}","updatedAt":"2026-01-01T00:00:00.000Z"}]}}
            """, null, ("traceparent", traceParent));
        answer.EnsureSuccessStatusCode();
    }

    private static async Task<SocketClient> Live(SiloProcess silo)
    {
        var socket = await SocketClient.Open(silo.Url, User);
        await socket.Next("WELCOME");
        await socket.Sync();
        return socket;
    }

    private static Task<SiloProcess> Start(
        string name, string database, OtlpCollector collector, params string[] more) => SiloProcess.Start(
    [
        $"--Storage:Postgres={database}", $"--Silo:Port={FreePort.Next()}", $"--Silo:GatewayPort={FreePort.Next()}",
        $"--OTEL_SERVICE_NAME={name}", .. collector.Settings, .. more,
    ]);
}
