using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mirubato.Tests.Gateway;

public sealed class TokenSecrecyTests
{
    [Fact]
    public async Task No_token_reaches_a_log_at_trace_by_any_way_it_comes_in()
    {
        await using var edge = await Edge.Start([.. Edge.LogsEverything, "--Logging:Console:LogLevel:Default=Trace"]);
        var good = Edge.Token();
        var expired = Edge.Token(expires: DateTimeOffset.UtcNow.AddHours(-1));
        var wrong = Edge.Token(secret: "another secret that is long enough too");
        // Short, because Kestrel writes down only the first 128 characters of a line it cannot read.
        const string ticket = "a-short-lived-ticket";
        string[] tokens = [good, expired, wrong, ticket];
        foreach (var token in tokens)
        {
            await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/status", token: token));
            await edge.Client.GetAsync($"/sync/ws?userId=ada&token={token}");
            await edge.Client.GetAsync($"/sync/ws?TOKEN={token}&ticket={token}");
            await edge.Client.GetAsync($"/sync/ws?%74oken={token}&x=1");
            await edge.Client.GetAsync($"/api/sync/pull?access_token={token}");
            await edge.Raw($"GET http://localhost/sync/ws?token={token} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            await edge.Raw($"GET /sync/ws?token={token} HTTP/9.9\r\nHost: localhost\r\n\r\n");
            await edge.Raw($"GET /sync/ws?token={token}\r\n\r\n");
            await edge.Raw($"GET /sync/ws?token={token} x y HTTP/1.1\r\n\r\n");
            await edge.Raw($"G\u00e4T /sync/ws?token={token} HTTP/1.1\r\n\r\n");
            await edge.Raw($"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization Bearer {token}\r\n\r\n");
            await edge.Raw($"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\u0001\r\n\r\n");
            await edge.Raw(
                $"GET /sync/ws HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nSec-WebSocket-Protocol: mirubato.sync.v1, "
                + $"bearer.{token}\r\n\r\n");
        }

        Assert.True(edge.Logs.Hold("/sync/ws"), "the logs are on");
        foreach (var token in tokens)
        {
            var signature = token.Split('.')[^1];
            Assert.False(
                edge.Logs.Hold(signature), edge.Logs.Lines.FirstOrDefault(line => line.Contains(signature, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task No_token_reaches_a_log_under_whatever_name_the_query_has_it()
    {
        await using var edge = await Edge.Start(Edge.LogsEverything);
        var token = Edge.Token();
        foreach (
            var query in (string[])
            [
                $"userId={token}&token=x", $"jwt={token}", $"q=a&since=Bearer%20{token}", token,
                $"types=goal&%6Awt={token.Replace(".", "%2E", StringComparison.Ordinal)}",
            ])
        {
            await edge.Client.GetAsync($"/sync/ws?{query}");
            await edge.Client.GetAsync($"/api/sync/pull?{query}");
        }

        Assert.True(edge.Logs.Hold("types=goal"), "the logs are on");
        var signature = token.Split('.')[^1];
        Assert.False(edge.Logs.Hold(signature), edge.Logs.Lines.FirstOrDefault(line => line.Contains(signature, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Nobodys_id_reaches_a_log_at_trace()
    {
        await using var edge = await Edge.Start([.. Edge.LogsEverything, "--Demo:Enabled=true"]);
        var (user, visitor) = ($"user-{Guid.NewGuid():n}", $"demo-{Guid.NewGuid():n}");
        await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/pull", user: user));
        await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/user/me", user: user));
        await edge.Client.GetAsync($"/sync/ws?userId={user}&token={Edge.Token(user)}");
        await edge.Client.GetAsync($"/sync/ws?userId={user}&token=wrong");
        Assert.NotEmpty(await edge.Client.GetStringAsync($"/demo/token?user={visitor}"));
        foreach (var id in (string[])[user, visitor])
        {
            Assert.False(edge.Logs.Hold(id), edge.Logs.Lines.FirstOrDefault(line => line.Contains(id, StringComparison.Ordinal)));
        }
    }

    [Theory]
    [InlineData("Orleans.Grain", false)]
    [InlineData("Orleans.Runtime.Catalog", false)]
    [InlineData("Orleans.Runtime.MembershipService.MembershipAgent", true)]
    public async Task Of_what_a_cluster_logs_by_itself_only_lines_about_its_members_are_written(string category, bool written)
    {
        await using var edge = await Edge.Start(Edge.LogsEverything);
        Assert.Equal(written, edge.Services.GetRequiredService<ILoggerFactory>().CreateLogger(category).IsEnabled(LogLevel.Error));
    }

    [Fact]
    public async Task What_else_the_query_holds_still_arrives()
    {
        await using var edge = await Edge.Start(Edge.LogsEverything);
        edge.Engine.For("ada").Put("goal", "g");
        edge.Engine.For("ada").Put("logbook_entry", "e");
        var pull = await (await edge.Get("/api/sync/pull?types=goal&token=secret&limit=5")).Json();
        Assert.Equal(1, pull.GetProperty("goals").GetArrayLength());
        Assert.Equal(0, pull.GetProperty("entries").GetArrayLength());
        Assert.True(edge.Logs.Hold("types=goal"), "what says nothing of anybody may be read");
    }

    [Fact]
    public async Task A_search_text_finds_and_is_in_no_log()
    {
        await using var edge = await Edge.Start(Edge.LogsEverything);
        edge.Engine.For("ada").Put("logbook_entry", "e", """{"id":"e","pieces":[{"title":"Zyklus","composer":"J.S.Bach"}]}""");
        foreach (
            var query in (string[])
            [
                "composers?q=J.S.Bach", "composers?limit=5&q=J.S.Bach", "pieces?q=zyk&composer=J.S.Bach",
                "pieces?%71=Zyk&COMPOSER=J.S.Bach",
            ])
        {
            var found = await (await edge.Get($"/api/autocomplete/{query}")).Json();
            Assert.True(found.GetProperty("results").GetArrayLength() == 1, $"{query}: {found}");
        }

        Assert.True(edge.Logs.Hold("/api/autocomplete/composers"), "the logs are on");
        foreach (var text in (string[])["Bach", "Zyk", "zyk"])
        {
            Assert.False(edge.Logs.Hold(text), edge.Logs.Lines.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)));
        }
    }

    [Theory]
    [InlineData("sub")]
    [InlineData("uid")]
    [InlineData("userId")]
    [InlineData("email")]
    [InlineData("a-name-of-tomorrow")]
    public async Task A_user_named_in_the_query_is_in_no_log_under_any_parameter_name(string name)
    {
        await using var edge = await Edge.Start(Edge.LogsEverything);
        var user = $"user-{Guid.NewGuid():n}";
        foreach (var path in (string[])["/api/sync/status", "/sync/ws", "/nowhere", "/"])
        {
            await edge.Client.GetAsync($"{path}?types=goal&{name}={user}");
        }
        Assert.True(edge.Logs.Hold("types=goal"), "the logs are on");
        Assert.False(edge.Logs.Hold(user), edge.Logs.Lines.FirstOrDefault(line => line.Contains(user, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_token_in_a_path_is_in_no_log_and_nothing_is_found_there()
    {
        await using var edge = await Edge.Start(Edge.LogsEverything);
        var token = Edge.Token();
        var encoded = token.Replace(".", "%2E", StringComparison.Ordinal);
        foreach (
            var path in (string[])
            [
                $"/{token}", $"/api/sync/devices/{token}/allow", $"/sync/ws/{token}", $"/x%2F{token}", $"/{encoded}",
                $"/{encoded.Replace("%", "%25", StringComparison.Ordinal)}", $"/a;{token}/b?types=goal",
            ])
            await (await edge.Get(path)).Problem(404, "NOT_FOUND");
        await edge.Raw($"GET http://localhost/{token} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        await edge.Raw($"GET http://localhost/?x=1#{token} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

        Assert.True(edge.Logs.Hold("/hidden"), "the logs are on");
        var signature = token.Split('.')[^1];
        Assert.False(edge.Logs.Hold(signature), edge.Logs.Lines.FirstOrDefault(line => line.Contains(signature, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_unhandled_failure_tells_the_client_nothing_of_the_insides()
    {
        await using var edge = await Edge.Start(Edge.LogsEverything);
        edge.Engine.Fails = new InvalidOperationException("SELECT secret FROM insides");
        var response = await edge.Get("/api/sync/status", ("Origin", "http://localhost:3000"));
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.DoesNotContain("insides", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await response.Problem(500, "INTERNAL");
        Assert.Equal("http://localhost:3000", response.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }
}
