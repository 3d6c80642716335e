using System.Net;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Mirubato.Tests.Gateway;

public sealed class DemoTests
{
    private const string User = "demo-0123456789abcdef";
    private static readonly string[] Production = ["--environment=Production", "--Cors:Origins=https://app.example.com"];

    [Fact]
    public async Task In_production_there_is_no_demo_unless_it_is_enabled()
    {
        await using var off = await Edge.Start(Production);
        foreach (var path in (string[])["/demo", "/demo/demo.js", $"/demo/token?user={User}"])
        {
            await (await off.Client.GetAsync(path)).Problem(404, "NOT_FOUND");
        }
        Assert.DoesNotContain("/demo", await off.Client.GetStringAsync("/"), StringComparison.Ordinal);

        await using var on = await Edge.Start([.. Production, "--Demo:Enabled=true"]);
        Assert.Equal(HttpStatusCode.OK, (await on.Client.GetAsync("/demo")).StatusCode);
        Assert.Contains("href=\"/demo\"", await on.Client.GetStringAsync("/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Elsewhere_it_is_there_unless_it_is_disabled_or_an_authority_signs_the_tokens()
    {
        await using var on = await Edge.Start();
        Assert.Equal(HttpStatusCode.OK, (await on.Client.GetAsync("/demo")).StatusCode);
        await using var off = await Edge.Start("--Demo:Enabled=false");
        await (await off.Client.GetAsync("/demo")).Problem(404, "NOT_FOUND");
        await using var authority = await Edge.Start("--Auth:Secret=", "--Auth:Authority=http://localhost:1", "--Auth:Audience=mirubato");
        await (await authority.Client.GetAsync("/demo")).Problem(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData("/demo", "text/html")]
    [InlineData("/demo/demo.css", "text/css")]
    [InlineData("/demo/demo.js", "text/javascript")]
    [InlineData("/demo/worker.js", "text/javascript")]
    [InlineData("/demo/icon.svg", "image/svg+xml")]
    public async Task It_runs_from_its_own_origin_alone_and_cannot_be_framed(string path, string type)
    {
        await using var edge = await Edge.Start();
        var answer = await edge.Client.GetAsync(path);
        Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'; script-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        if (type is not "image/svg+xml")
        {
            Assert.DoesNotContain("http://", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Its_token_is_short_lived_and_counts()
    {
        await using var edge = await Edge.Start("--Auth:Issuer=here", "--Auth:Audience=apps", "--Demo:TokenSeconds=90");
        var answer = await edge.Client.GetAsync($"/demo/token?user={User}");
        Assert.Equal("application/jwt", answer.Content.Headers.ContentType?.MediaType);
        Assert.True(answer.Headers.CacheControl!.NoStore);
        var text = await answer.Content.ReadAsStringAsync();
        var token = new JsonWebToken(text);
        Assert.Equal(User, token.Subject);
        Assert.Equal(TimeSpan.FromSeconds(90), token.ValidTo - token.IssuedAt);
        Assert.Equal(
            HttpStatusCode.OK, (await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/user/me", token: text))).StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ada")]
    [InlineData("demo-")]
    [InlineData("demo-0123456789abcde")]
    [InlineData("demo-0123456789abcdeF")]
    [InlineData("demo-0123456789abcdef%0A")]
    [InlineData("demo-01234567890123456789012345678901234567890")]
    public async Task It_speaks_for_no_user_but_its_own(string user)
    {
        await using var edge = await Edge.Start();
        await (await edge.Client.GetAsync($"/demo/token?user={user}")).Problem(400, "INVALID_PARAMETER");
    }

    [Fact]
    public async Task An_address_is_given_so_many_tokens_a_minute()
    {
        await using var edge = await Edge.Start("--Demo:TokensPerMinute=3");
        for (var i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.OK, (await edge.Client.GetAsync($"/demo/token?user={User}")).StatusCode);
        var refused = await edge.Client.GetAsync($"/demo/token?user={User}");
        await refused.Problem(429, "RATE_LIMITED");
        Assert.True(refused.Headers.RetryAfter?.Delta > TimeSpan.Zero);
    }

    [Fact]
    public async Task Another_site_may_not_read_its_tokens()
    {
        await using var edge = await Edge.Start();
        var request = new HttpRequestMessage(HttpMethod.Get, $"/demo/token?user={User}");
        request.Headers.Add("Origin", "https://evil.example");
        Assert.False((await edge.Client.SendAsync(request)).Headers.Contains("Access-Control-Allow-Origin"));
    }
}
