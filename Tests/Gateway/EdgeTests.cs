using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

public sealed class EdgeTests
{
    [Fact]
    public async Task No_file_of_settings_is_watched()
    {
        await using var edge = await Edge.Start();
        var files = ((IConfigurationRoot)edge.Services.GetRequiredService<IConfiguration>()).Providers.OfType<FileConfigurationProvider>();
        Assert.NotEmpty(files);
        Assert.DoesNotContain(files, file => file.Source.ReloadOnChange);
    }

    [Fact]
    public async Task What_does_not_exist_or_takes_another_method_is_a_problem_too()
    {
        await using var edge = await Edge.Start();
        await (await edge.Get("/nowhere")).Problem(404, "NOT_FOUND");
        var wrong = await edge.Get("/api/sync/push");
        await wrong.Problem(405, "METHOD_NOT_ALLOWED");
        Assert.Equal(["POST"], wrong.Content.Headers.Allow);
        await (await edge.Send(HttpMethod.Delete, "/api/sync/conflicts/none")).Problem(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData("1", 200, "")]
    [InlineData("2", 409, "SCHEMA_MISMATCH")]
    [InlineData("0", 409, "SCHEMA_MISMATCH")]
    [InlineData("99999999999999", 400, "INVALID_HEADER")]
    [InlineData("one", 400, "INVALID_HEADER")]
    public async Task Another_schema_is_refused_and_nothing_applied(string schema, int status, string code)
    {
        await using var edge = await Edge.Start();
        var response = await edge.Post("/api/sync/push", """{"changes":{"goals":[{"id":"g"}]}}""", ("X-Sync-Schema", schema));
        Assert.Equal("1", response.Headers.GetValues("X-Sync-Schema").Single());
        if (status == 200) Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        else await response.Problem(status, code);
        Assert.Equal(status == 200, edge.Engine.For("ada").LastRequest is not null);
    }

    [Fact]
    public async Task The_store_being_away_is_503_with_its_class_and_when_to_retry()
    {
        await using var edge = await Edge.Start();
        edge.Engine.Down = true;
        var response = await edge.Post("/api/sync/push", """{"changes":{}}""");
        var problem = await response.Problem(503, "STORE_UNAVAILABLE");
        Assert.Equal("unreachable", problem.GetProperty("reason").GetString());
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter!.Delta);
    }

    [Fact]
    public async Task A_repetition_under_one_key_gets_the_first_bytes_and_another_body_422()
    {
        await using var edge = await Edge.Start();
        const string body = """{"changes":{"goals":[{"id":"g"}]}}""";
        var first = await edge.Post("/api/sync/push", body, ("X-Idempotency-Key", "k"));
        var second = await edge.Post("/api/sync/push", body, ("Idempotency-Key", "k"));
        Assert.False(first.Headers.Contains("X-Idempotent-Replay"));
        Assert.Equal("true", second.Headers.GetValues("X-Idempotent-Replay").Single());
        Assert.Equal(await first.Content.ReadAsStringAsync(), await second.Content.ReadAsStringAsync());
        await (await edge.Post("/api/sync/push", body + " ", ("Idempotency-Key", "k"))).Problem(422, "IDEMPOTENCY_KEY_REUSED");
    }

    [Theory]
    [InlineData("X-Device-ID")]
    [InlineData("X-Idempotency-Key")]
    [InlineData("Idempotency-Key")]
    public async Task A_header_that_names_something_is_a_usable_id(string header)
    {
        await using var edge = await Edge.Start();
        Assert.Equal(
            HttpStatusCode.OK,
            (await edge.Post("/api/sync/push", """{"changes":{}}""", (header, new string('x', UsableId.UnitsMax)))).StatusCode);
        var problem = await (
            await edge.Post(
                "/api/sync/push", """{"changes":{}}""", (header, new string('x', UsableId.UnitsMax + 1)))).Problem(400, "INVALID_HEADER");
        Assert.StartsWith(header, problem.GetProperty("error").GetString(), StringComparison.Ordinal);
        await (await edge.Post("/api/sync/push", """{"changes":{}}""", (header, "a\tb"))).Problem(400, "INVALID_HEADER");
    }

    [Theory]
    [InlineData("G\u00c3\u00a4ste", "G\u00e4ste")] // UTF-8, byte by byte.
    [InlineData("G%C3%A4ste", "G\u00e4ste")]
    [InlineData("50%", "50%")]
    public async Task A_device_name_is_UTF8_raw_or_percent_encoded(string bytes, string name)
    {
        await using var edge = await Edge.Start();
        var request =
            $"POST /api/sync/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Edge.Token()}\r\nX-Device-ID: {bytes}\r\nContent-Type: "
            + $"application/json\r\nContent-Length: 14\r\nConnection: close\r\n\r\n";
        Assert.StartsWith("HTTP/1.1 200", await edge.Raw(request + "{\"changes\":{}}"), StringComparison.Ordinal);
        Assert.Equal(new DeviceId(name), edge.Engine.For("ada").LastRequest!.Caller.Device);
    }

    [Fact]
    public async Task Two_different_keys_are_refused()
    {
        await using var edge = await Edge.Start();
        await (
            await edge.Post(
                "/api/sync/push", """{"changes":{}}""", ("X-Idempotency-Key", "a"),
                ("Idempotency-Key", "b"))).Problem(400, "INVALID_HEADER");
    }

    [Theory]
    [InlineData("handling=strict", true)]
    [InlineData("return=minimal, Handling = \"strict\"", true)]
    [InlineData("handling=lenient", false)]
    [InlineData("", false)]
    public async Task Strict_handling_is_asked_for_by_Prefer(string prefer, bool strict)
    {
        await using var edge = await Edge.Start();
        await edge.Post("/api/sync/push", """{"changes":{}}""", ("Prefer", prefer), ("X-Device-ID", "phone"));
        var request = edge.Engine.For("ada").LastRequest!;
        Assert.Equal(strict, request.Strict);
        Assert.Equal(new DeviceId("phone"), request.Caller.Device);
        Assert.InRange(
            request.Caller.TokenIssuedAtMs, DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds(),
            DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task One_user_is_limited_and_another_is_not()
    {
        await using var edge = await Edge.Start("--Limits:RequestBurst=3", "--Limits:RequestsPerSecond=1");
        for (var i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.OK, (await edge.Get("/api/sync/status")).StatusCode);
        var limited = await edge.Get("/api/sync/status");
        await limited.Problem(429, "RATE_LIMITED");
        Assert.NotNull(limited.Headers.RetryAfter!.Delta);
        Assert.Equal(
            HttpStatusCode.OK, (await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/status", user: "bob"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await edge.Get("/health")).StatusCode);
    }

    [Theory]
    [InlineData("?limit=101")]
    [InlineData("?limit=0")]
    [InlineData("?after=a%00b")]
    public async Task The_feed_takes_only_usable_parameters(string query)
    {
        await using var edge = await Edge.Start();
        await (await edge.Get($"/api/sync/conflicts{query}")).Problem(400, "INVALID_PARAMETER");
    }

    [Fact]
    public async Task Erasing_wants_to_be_confirmed()
    {
        await using var edge = await Edge.Start();
        await (await edge.Send(HttpMethod.Delete, "/api/sync/data")).Problem(400, "CONFIRMATION_REQUIRED");
        Assert.Equal(HttpStatusCode.OK, (await edge.Send(HttpMethod.Delete, "/api/sync/data", null, ("Confirm", "erase"))).StatusCode);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a%2Fb")]
    [InlineData("ü?#")]
    public async Task A_device_is_addressed_by_its_very_name(string device)
    {
        await using var edge = await Edge.Start();
        Assert.Equal(
            HttpStatusCode.NoContent, (await edge.Send(HttpMethod.Delete, $"/api/sync/devices/{Uri.EscapeDataString(device)}")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await edge.Post($"/api/sync/devices/{Uri.EscapeDataString(device)}/allow")).StatusCode);
        Assert.Equal([new DeviceId(device), new DeviceId(device)], edge.Engine.For("ada").Admitted);
    }

    [Theory]
    [InlineData("/health", 200, "degraded")]
    [InlineData("/health/live", 200, "healthy")]
    [InlineData("/livez", 200, "healthy")]
    [InlineData("/health/ready", 503, "unhealthy")]
    [InlineData("/readyz", 503, "unhealthy")]
    public async Task Health_is_never_cached_and_hides_no_outage(string path, int whenDown, string word)
    {
        await using var edge = await Edge.Start();
        edge.Engine.Down = true;
        var response = await edge.Client.GetAsync(path);
        Assert.Equal(whenDown, (int)response.StatusCode);
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        var health = await response.Json();
        string[] members = ["service", "status", "timestamp", "environment", "version"];
        Assert.Equal(word == "healthy" ? members : [.. members, "reason"], health.EnumerateObject().Select(member => member.Name));
        Assert.Equal((word, "test"), (health.GetProperty("status").GetString(), health.GetProperty("environment").GetString()));
    }

    [Fact]
    public async Task The_page_at_the_root_loads_nothing_and_runs_nothing()
    {
        await using var edge = await Edge.Start();
        var response = await edge.Client.GetAsync("/");
        var page = await response.Content.ReadAsStringAsync();
        Assert.Equal("text/html", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains("Healthy", page, StringComparison.Ordinal);
        Assert.DoesNotContain("{{", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'; style-src 'sha256-", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-referrer", response.Headers.GetValues("Referrer-Policy").Single());
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task A_forwarded_address_counts_only_behind_a_trusted_proxy()
    {
        foreach (var (setting, limited) in ((string, bool)[])[("--TrustedProxies=127.0.0.1", false), ("--TrustedProxies=10.0.0.1", true)])
        {
            await using var edge = await Edge.Start(setting, "--Limits:RefusedTokensPerMinute=1");
            HttpResponseMessage last = null!;
            for (var i = 0; i < 2; i++)
            {
                var request = Edge.Request(HttpMethod.Get, "/api/sync/status", token: "bad");
                request.Headers.Add("X-Forwarded-For", $"203.0.113.{i}");
                last = await edge.Client.SendAsync(request);
            }

            Assert.Equal(limited ? HttpStatusCode.TooManyRequests : HttpStatusCode.Unauthorized, last.StatusCode);
        }
    }

    [Fact]
    public async Task A_push_in_two_halves_is_one_push()
    {
        await using var edge = await Edge.Start();
        var id = new string('ü', 100);
        var body = Encoding.UTF8.GetBytes($$$"""{"changes":{"goals":[{"id":"{{{id}}}"}]}}""");
        var request = Edge.Request(HttpMethod.Post, "/api/sync/push");
        request.Content = new Halves(body);
        Assert.Equal(HttpStatusCode.OK, (await edge.Client.SendAsync(request)).StatusCode);
        Assert.Equal(body, edge.Engine.For("ada").LastRequest!.Body.ToArray());
        Assert.Equal(
            id,
            JsonDocument.Parse(edge.Engine.For("ada").LastRequest!.FindDocument(edge.Engine.For("ada").LastRequest!.Changes[0]))
                .RootElement.GetProperty("id")
                .GetString());
    }

    private sealed class Halves(byte[] body) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(body.AsMemory(0, 51));
            await stream.FlushAsync();
            await stream.WriteAsync(body.AsMemory(51));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
