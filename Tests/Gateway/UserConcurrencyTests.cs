using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using Mirubato.Gateway;
using Mirubato.Gateway.Errors;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Gateway;

/// <summary>How much of one user is under way at a time.</summary>
public sealed class UserConcurrencyTests : IDisposable
{
    private readonly WatchedClock clock = new();
    private readonly List<RawConnection> unread = [];

    public void Dispose() => unread.ForEach(connection => connection.Dispose());

    [Fact]
    public async Task Eight_reads_are_under_way_and_the_ninth_waits_for_one_of_them()
    {
        await using var edge = await Edge.StartAt(clock);
        await HoldReads(edge);
        var ninth = edge.Get("/api/sync/pull");
        Waiting(1);
        Assert.Equal(
            HttpStatusCode.OK, (await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/pull", user: "bob"))).StatusCode);
        Assert.False(ninth.IsCompleted);

        Assert.StartsWith("HTTP/1.1 200", await unread[0].ReadToEnd(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await ninth).StatusCode);
    }

    [Fact]
    public async Task A_read_waits_for_10_seconds_and_no_longer()
    {
        await using var edge = await Edge.StartAt(clock);
        await HoldReads(edge);
        var ninth = edge.Get("/api/sync/pull");
        Waiting(1);
        clock.Advance(TimeSpan.FromMilliseconds(Limits.ReadWaitMs - 1));
        Waiting(1);
        Assert.False(ninth.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        var answer = await ninth;
        await answer.Problem(429, "TOO_MANY_READS");
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta);
    }

    [Fact]
    public async Task Thirty_two_reads_wait_and_one_more_is_refused_at_once()
    {
        await using var edge = await Edge.StartAt(clock);
        await HoldReads(edge);
        var waiting = Enumerable.Range(0, Limits.WaitingReadsMax).Select(_ => edge.Get("/api/sync/pull")).ToList();
        Waiting(Limits.WaitingReadsMax);
        foreach (
            var path in (string[])
            [
                "sync/pull", "sync/export", "sync/conflicts", "goals", "goals/00", "repertoire", "repertoire/a-b/stats",
                "autocomplete/pieces", "autocomplete/composers",
            ])
            await (await edge.Get($"/api/{path}")).Problem(429, "TOO_MANY_READS");

        foreach (var connection in unread) await connection.ReadToEnd();
        foreach (var read in waiting) Assert.Equal(HttpStatusCode.OK, (await read).StatusCode);
    }

    [Fact]
    public async Task Sixteen_tabs_pull_at_once()
    {
        await using var edge = await Edge.StartAt(clock);
        Fill(edge, "ada");
        var pulls = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => edge.Post("/api/sync/pull", "{}")));
        Assert.All(pulls, pull => Assert.Equal(HttpStatusCode.OK, pull.StatusCode));
    }

    [Fact]
    public async Task A_304_needs_no_read_lease()
    {
        await using var edge = await Edge.StartAt(clock);
        await HoldReads(edge);
        Assert.Equal(HttpStatusCode.NotModified, (await edge.Get("/api/sync/pull", ("If-None-Match", "*"))).StatusCode);
    }

    [Fact]
    public async Task One_long_call_of_a_user_is_under_way()
    {
        await using var edge = await Edge.StartAt(clock);
        Fill(edge, "ada");
        await Hold(edge, "/api/sync/export", 1);
        var rename = """{"oldPiece":{"title":"a"},"newPiece":{"title":"b"}}""";
        foreach (var second in (HttpResponseMessage[])[
            await edge.Get("/api/sync/export"),
            await edge.Send(HttpMethod.Put, "/api/pieces/update-name", rename),
            await edge.Send(HttpMethod.Delete, "/api/repertoire/a-b/dissociate"),
            await edge.Send(HttpMethod.Delete, "/api/sync/data", null, ("Confirm", "erase"))])
        {
            await second.Problem(429, "RATE_LIMITED");
            Assert.Equal(TimeSpan.FromSeconds(1), second.Headers.RetryAfter?.Delta);
        }

        Assert.Equal(
            HttpStatusCode.OK, (await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/export", user: "bob"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await edge.Get("/api/repertoire")).StatusCode);
        Assert.Contains("\"kind\":\"end\"", await unread[0].ReadToEnd(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await edge.Send(HttpMethod.Put, "/api/pieces/update-name", rename)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await edge.Get("/api/sync/export")).StatusCode);
    }

    [Fact]
    public async Task A_rename_pauses_after_a_page_for_as_long_as_the_page_took()
    {
        const int PageMs = 1_234;
        await using var edge = await Edge.StartAt(clock);
        var ada = edge.Engine.For("ada");
        foreach (var id in Enumerable.Range(0, 251).Select(i => i.ToString("d3", CultureInfo.InvariantCulture)))
            ada.Put("logbook_entry", id, $$"""{"id":"{{id}}","scoreTitle":"a"}""");
        var pages = 0;
        ada.BeforeRead = () =>
        {
            if (pages++ == 0) clock.Advance(TimeSpan.FromMilliseconds(PageMs));
        };
        var rename = edge.Send(HttpMethod.Put, "/api/pieces/update-name", """{"oldPiece":{"title":"a"},"newPiece":{"title":"b"}}""");
        Assert.True(SpinWait.SpinUntil(() => clock.Waiting(PageMs) == 1, TimeSpan.FromSeconds(60)));
        Assert.Equal((1, 250), (pages, ada.LastRequest!.Changes.Count));
        clock.Advance(TimeSpan.FromMilliseconds(PageMs));

        Assert.Contains("251 entries", await (await rename).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal((2, 1), (pages, ada.LastRequest.Changes.Count));
    }

    [Fact]
    public async Task An_erase_whose_client_went_away_keeps_its_turn_until_it_is_done()
    {
        await using var edge = await Edge.Start();
        using var concurrency = new UserConcurrency(clock);
        using var gone = new CancellationTokenSource();
        var done = new TaskCompletionSource();
        edge.Engine.For("ada").BeforeErased = done.Task;
        var call = CallOf(edge, gone.Token);
        call.Http.Request.Headers["Confirm"] = "erase";
        var erase = AccountEndpoints.Erase(call, concurrency);
        await gone.CancelAsync();
        Assert.Equal(Problem.RateLimited, Assert.Throws<RequestRefusedException>(() => concurrency.Long(call.Caller.User)).Problem);
        done.SetResult();
        await Record.ExceptionAsync(() => erase);
        concurrency.Long(call.Caller.User).Dispose();
    }

    private async Task HoldReads(Edge edge)
    {
        Fill(edge, "ada");
        await Hold(edge, "/api/sync/pull", Limits.ReadsPerUserMax);
    }

    /// <summary>Calls that are under way because nobody reads their answers.</summary>
    private async Task Hold(Edge edge, string path, int count)
    {
        for (var i = 0; i < count; i++) unread.Add(await RawConnection.Ask(edge, path));
        Assert.True(SpinWait.SpinUntil(() => clock.Waiting(Limits.AnswerStalledMs) == count, TimeSpan.FromSeconds(60)));
    }

    private void Waiting(int count) =>
        Assert.True(SpinWait.SpinUntil(() => clock.Waiting(Limits.ReadWaitMs) == count, TimeSpan.FromSeconds(60)));

    /// <summary>More than the system's buffers take.</summary>
    private static void Fill(Edge edge, string user)
    {
        for (var i = 0; i < 80; i++)
        {
            var id = i.ToString("d2", CultureInfo.InvariantCulture);
            edge.Engine.For(user).Put("goal", id, $$"""{"id":"{{id}}","title":"t","notes":"{{new string('n', 200_000)}}"}""");
        }
    }

    private static Call CallOf(Edge edge, CancellationToken aborted)
    {
        var http = new DefaultHttpContext { RequestServices = edge.Services, RequestAborted = aborted };
        var user = new UserId("ada");
        var grains = new UserGrains(new FakeGrains(edge.Engine.For));
        var coordinator = new UserCoordinator(user, grains, edge.Engine, sockets: null!, rates: null!);
        return new Call(http, new Caller(user, null, 0), coordinator, edge.Engine);
    }
}
