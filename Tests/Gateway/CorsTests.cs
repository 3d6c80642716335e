using System.Net;
using Mirubato.Gateway.Options;

namespace Mirubato.Tests.Gateway;

public sealed class CorsTests
{
    [Theory]
    [InlineData("http://localhost:3000", true)]
    [InlineData("http://localhost", true)]
    [InlineData("https://localhost:8443", true)]
    [InlineData("http://app.localhost:4000", true)]
    [InlineData("http://127.0.0.1:5173", true)]
    [InlineData("https://localhost.evil.example", false)]
    [InlineData("https://evillocalhost", false)]
    [InlineData("https://evil.example/localhost", false)]
    [InlineData("http://localhost@evil.example", false)]
    [InlineData("http://127.0.0.1.evil.example", false)]
    [InlineData("http://127.0.0.2", false)]
    [InlineData("ftp://localhost", false)]
    [InlineData("null", false)]
    [InlineData("", false)]
    public void Outside_production_localhost_may_call_and_nothing_that_looks_like_it(string origin, bool allowed) =>
        Assert.Equal(allowed, new AllowedOrigins([], localhostToo: true).Allows(origin));

    [Theory]
    [InlineData("https://app.example.com", true)]
    [InlineData("https://APP.example.com", true)]
    [InlineData("http://app.example.com", false)]
    [InlineData("https://app.example.com:8443", false)]
    [InlineData("https://app.example.com.evil.example", false)]
    [InlineData("https://evil-app.example.com", false)]
    [InlineData("https://x.app.example.com", false)]
    [InlineData("http://localhost:3000", false)]
    public void A_listed_origin_is_compared_whole(string origin, bool allowed) =>
        Assert.Equal(allowed, new AllowedOrigins(["https://app.example.com"], localhostToo: false).Allows(origin));

    [Theory]
    [InlineData("capacitor://localhost")]
    [InlineData("ionic://localhost")]
    [InlineData("tauri://localhost")]
    [InlineData("https://tauri.localhost")]
    [InlineData("app://.")]
    [InlineData("app://bundle")]
    [InlineData("file://")]
    [InlineData("chrome-extension://abcdefghijklmnopabcdefghijklmnop")]
    [InlineData("moz-extension://0ee2b1c1-0000-4000-8000-000000000000")]
    [InlineData("http://[::1]:3000")]
    public void The_origin_of_an_app_shell_can_be_listed_and_is_compared_whole(string origin)
    {
        Assert.Equal(origin, AllowedOrigins.Exact(origin));
        var origins = new AllowedOrigins([origin], localhostToo: false);
        Assert.True(origins.Allows(origin));
        foreach (var other in (string[])[$"{origin}.evil.example", $"{origin}x", $"x{origin}", "null", "capacitor://evil"])
        {
            Assert.False(origins.Allows(other));
        }
    }

    [Theory]
    [InlineData("https://müsik.example", "https://xn--msik-0ra.example")]
    [InlineData("https://mu\u0308sik.example", "https://xn--msik-0ra.example")]
    [InlineData("https://MÜSIK.example:8443", "https://xn--msik-0ra.example:8443")]
    [InlineData("https://例え.jp", "https://xn--r8jz45g.jp")]
    public void A_unicode_host_matches_what_a_browser_sends_of_it(string listed, string sent) =>
        Assert.True(new AllowedOrigins([AllowedOrigins.Exact(listed)!], localhostToo: false).Allows(sent));

    [Theory]
    [InlineData("null")]
    [InlineData("*")]
    [InlineData("https://*.example.com")]
    [InlineData("https://app.example.com/")]
    [InlineData("https://app.example.com/path")]
    [InlineData("https://app.example.com:443")]
    [InlineData("https://user@app.example.com")]
    [InlineData("https://")]
    [InlineData("app.example.com")]
    [InlineData("capacitor://localhost/")]
    [InlineData("capacitor://localhost?x")]
    [InlineData("capacitor://a b")]
    [InlineData("app://bücher")]
    [InlineData("1app://x")]
    [InlineData("javascript:alert(1)")]
    public void What_no_browser_sends_as_an_origin_is_refused(string text) => Assert.Null(AllowedOrigins.Exact(text));

    [Fact]
    public async Task A_preflight_names_what_is_allowed_for_a_day()
    {
        await using var edge = await Edge.Start();
        var request = new HttpRequestMessage(HttpMethod.Options, "/api/sync/push");
        request.Headers.Add("Origin", "http://localhost:3000");
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,x-device-id");
        var response = await edge.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        string Header(string name) => response.Headers.GetValues(name).Single();
        Assert.Equal("http://localhost:3000", Header("Access-Control-Allow-Origin"));
        Assert.Equal("true", Header("Access-Control-Allow-Credentials"));
        Assert.Equal("86400", Header("Access-Control-Max-Age"));
        Assert.Equal("GET,POST,PUT,DELETE", Header("Access-Control-Allow-Methods"));
        foreach (
            var name in (string[])
            [
                "Authorization", "Content-Type", "Content-Encoding", "X-Device-ID", "X-Idempotency-Key", "Idempotency-Key", "If-None-Match",
                "Prefer", "Confirm", "X-Sync-Schema", "X-Sync-Unsent-Age", "traceparent",
            ])
            Assert.Contains(name, Header("Access-Control-Allow-Headers").Split(','));
    }

    [Fact]
    public async Task Every_answer_is_readable_for_an_allowed_origin_errors_too()
    {
        await using var edge = await Edge.Start();
        async Task Check(HttpResponseMessage response, int status)
        {
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal("http://localhost:3000", response.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.Equal("true", response.Headers.GetValues("Access-Control-Allow-Credentials").Single());
            Assert.Equal(
                "ETag,X-Idempotent-Replay,Retry-After,X-Sync-Schema", response.Headers.GetValues("Access-Control-Expose-Headers").Single());
            await response.Content.ReadAsByteArrayAsync();
        }

        var origin = ("Origin", "http://localhost:3000");
        await Check(await edge.Get("/api/sync/status", origin), 200);
        await Check(await edge.Get("/nowhere", origin), 404);
        await Check(await edge.Post("/api/sync/status", null, origin), 405);
        await Check(await edge.Post("/api/sync/push", "{", origin), 400);
        var anonymous = new HttpRequestMessage(HttpMethod.Get, "/api/sync/status");
        anonymous.Headers.Add("Origin", "http://localhost:3000");
        await Check(await edge.Client.SendAsync(anonymous), 401);
        edge.Engine.Down = true;
        await Check(await edge.Get("/api/sync/status", origin), 503);
        edge.Engine.Fails = new InvalidOperationException();
        await Check(await edge.Get("/api/sync/status", origin), 500);
    }

    [Fact]
    public async Task A_foreign_origin_gets_no_word_of_permission()
    {
        await using var edge = await Edge.Start();
        var response = await edge.Get("/api/sync/status", ("Origin", "https://localhost.evil.example"));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
    }
}
