using System.Net.Http.Headers;
using Microsoft.Extensions.Time.Testing;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.WebApp;

/// <summary>An app that asks who it is signs its user out when that fails.</summary>
public sealed class MeTests
{
    [Fact]
    public async Task Me_answers_while_the_store_is_away()
    {
        await using var edge = await Edge.Start();
        edge.Engine.Down = true;
        using var response = await edge.Get("/api/user/me");

        Assert.Equal(200, (int)response.StatusCode);
        var me = await response.Json();
        Assert.Equal("ada", me.Text("id"));
        Assert.False(me.TryGetProperty("createdAt", out _));
    }

    [Fact]
    public async Task Me_waits_half_a_second_for_a_store_that_does_not_answer()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var edge = await Edge.StartAt(clock);
        edge.Engine.Silent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = edge.Get("/api/user/me");
        await edge.Engine.Silent.Task;
        Assert.False(answer.IsCompleted);

        clock.Advance(TimeSpan.FromMilliseconds(500));

        using var response = await answer;
        Assert.Equal(200, (int)response.StatusCode);
        Assert.False((await response.Json()).TryGetProperty("createdAt", out _));
    }

    [Fact]
    public async Task Me_is_never_limited()
    {
        await using var edge = await Edge.Start("--Limits:RequestsPerSecond=1", "--Limits:RequestBurst=1");
        for (var i = 0; i < 5; i++)
        {
            using var response = await edge.Get("/api/user/me");
            Assert.Equal(200, (int)response.StatusCode);
        }

        using var first = await edge.Get("/api/goals");
        using var second = await edge.Get("/api/goals");
        await second.Problem(429, "RATE_LIMITED");
    }

    [Fact]
    public async Task Problems_of_these_calls_may_be_read_from_an_allowed_origin()
    {
        await using var edge = await Edge.Start();
        using var request = Edge.Request(HttpMethod.Get, "/api/goals/none");
        request.Headers.Add("Origin", "http://localhost:3000");
        using var response = await edge.Client.SendAsync(request);
        await response.Problem(404, "NOT_FOUND");
        Assert.Equal("http://localhost:3000", response.Headers.GetValues("Access-Control-Allow-Origin").Single());

        using var bare = new HttpRequestMessage(HttpMethod.Get, "/api/repertoire")
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "x") },
        };
        using var refused = await edge.Client.SendAsync(bare);
        await refused.Problem(401, "INVALID_TOKEN");
    }
}
