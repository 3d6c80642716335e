using System.Text.Json;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>Orders of events that a machine rarely brings about by itself.</summary>
public sealed class SocketOrderTests
{
    [Fact]
    public async Task A_write_in_flight_behind_a_waiting_acknowledgement_shows_its_sender_no_gap()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var (a, b) = (await stage.Live(), await stage.Live());

        // Another process stored x; it is unknown here, and the acknowledgement that names it waits.
        var elsewhere = engine.Put("x");
        engine.Next(request => Task.FromResult(engine.Answer(request, ItemStatus.Unchanged, elsewhere)));
        await Send(a, "x", "first");

        // Then the socket replaces it, so that what it waits for is never sent, and another change follows at once.
        var (reading, answering) = (new TaskCompletionSource(), new TaskCompletionSource());
        engine.Reading = reading.Task;
        engine.Next(async request =>
        {
            var own = engine.Put("x", "mine");
            engine.Announce(request.ConnectionId, own);
            engine.Announce(null, engine.Put("y"));
            reading.SetResult();
            await answering.Task;
            return engine.Answer(request, ItemStatus.Updated, own);
        });
        await Send(a, "x", "second");
        await b.Until(frame => b.Cursor == 3);
        answering.SetResult();

        await a.Until(_ => a.Cursor == 3 && a.Seen.Count(Acknowledged) == 2);
        Assert.Contains("first:1", a.Seen.Where(Numbered).Select(Told));
        Assert.Contains(a.Seen, frame => Acknowledged(frame) && Told(frame) is "second:2" or "second:3");
    }

    [Fact]
    public async Task An_acknowledgement_waits_for_what_lies_before_it()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var a = await stage.Live();
        var reading = new TaskCompletionSource();
        engine.Reading = reading.Task;
        engine.Put("elsewhere");
        engine.Next(request =>
        {
            var own = engine.Put("mine");
            engine.Announce(request.ConnectionId, own);
            return Task.FromResult(engine.Answer(request, ItemStatus.Created, own));
        });
        await Send(a, "mine", "m");
        Assert.Empty(await a.Settle());
        reading.SetResult();
        await a.Until(Acknowledged);
        var window = Assert.Single(a.Seen, EndsWindow);
        Assert.Equal(2, window.GetProperty("lastSeq").GetInt64());
        Assert.True(a.Seen.IndexOf(window) < a.Seen.FindIndex(Acknowledged));
        Assert.Equal("m:2", Told(a.Seen.Last(Numbered)));
    }

    [Fact]
    public async Task Changes_after_a_sockets_own_change_wait_for_its_acknowledgement()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var (a, b) = (await stage.Live(), await stage.Live());
        var answering = new TaskCompletionSource();
        engine.Next(async request =>
        {
            var own = engine.Put("mine");
            engine.Announce(request.ConnectionId, own);
            engine.Announce(null, engine.Put("theirs"));
            await answering.Task;
            return engine.Answer(request, ItemStatus.Created, own);
        });
        await Send(a, "mine", "m");
        await b.Until(_ => b.Cursor == 2);
        answering.SetResult();
        await a.Until(_ => a.Cursor == 2);
        Assert.Equal(["m:1", "GOAL_UPDATED:2"], a.Seen.Where(Numbered).Select(Told).TakeLast(2));
        Assert.Equal(0, engine.Reads - 2);
    }

    [Fact]
    public async Task A_write_with_an_unknown_outcome_is_read_by_its_sender_once_it_is_announced()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var a = await stage.Live();
        engine.Next(request =>
        {
            engine.Announce(request.ConnectionId, engine.Put("mine"));
            throw new StoreUnavailableException("unreachable", outcomeUnknown: true);
        });
        await Send(a, "mine", "m");
        Assert.Equal("UNAVAILABLE", (await a.Next("ERROR")).GetProperty("code").GetString());
        // It is read on a thread of its own, and may have come before the error.
        if (!a.Seen.Exists(frame => SocketClient.Type(frame) == "GOAL_UPDATED")) await a.Next("GOAL_UPDATED");
        Assert.Equal(1, a.Cursor);
    }

    [Fact]
    public async Task A_repeated_announcement_of_another_process_is_read_once()
    {
        await using var stage = await ScriptedStage.Start();
        var a = await stage.Live();
        var reads = stage.Engine.Reads;
        stage.Engine.Put("x");
        stage.HeadMoved();
        await a.Until(_ => a.Cursor == 1);
        stage.HeadMoved();
        stage.Tell(news => news with { Head = new SyncToken(stage.Engine.Head.Epoch, new Revision(0)) });
        Assert.Empty(await a.Settle());
        Assert.Equal(1, stage.Engine.Reads - reads);
    }

    [Fact]
    public async Task Announcements_that_skip_a_revision_are_read_with_the_gap_in_one_window()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var a = await stage.Live();
        var reads = engine.Reads;
        var reading = new TaskCompletionSource();
        engine.Reading = reading.Task;
        engine.Put("elsewhere");
        engine.Announce(null, engine.Put("two"));
        engine.Announce(null, engine.Put("three"));
        Assert.Empty(await a.Settle());
        reading.SetResult();
        await a.Until(_ => a.Cursor == 3);
        var window = Assert.Single(a.Seen, EndsWindow);
        Assert.Equal((0, 3), (window.GetProperty("after").GetInt64(), window.GetProperty("lastSeq").GetInt64()));
        Assert.Equal(1, engine.Reads - reads);

        // What comes then continues it, and is sent from memory.
        engine.Announce(null, engine.Put("four"));
        await a.Until(_ => a.Cursor == 4);
        Assert.Equal(1, engine.Reads - reads);
    }

    [Fact]
    public async Task A_store_that_is_away_during_a_gap_delays_and_loses_nothing()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var a = await stage.Live();
        engine.Fails = new StoreUnavailableException("unreachable", outcomeUnknown: false);
        engine.Put("elsewhere");
        stage.HeadMoved();
        engine.Announce(null, engine.Put("here"));
        Assert.Empty(await a.Settle());
        engine.Fails = null;
        await a.Until(_ => a.Cursor == 2);
    }

    [Fact]
    public async Task What_is_announced_while_a_page_is_on_its_way_is_read_before_its_reader_goes_live()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var (a, b) = (await stage.Live(), await stage.Live());
        var (answering, reads) = (new TaskCompletionSource(), engine.Reads);
        engine.Answering = answering.Task;
        await b.Ask(0);
        await Eventually.Holds(() => engine.Reads != reads);
        engine.Announce(null, engine.Put("x"));
        await a.Until(_ => a.Cursor == 1);
        answering.SetResult();
        var end = await b.Until(f => SocketClient.Type(f) == "SYNC_RESPONSE");
        Assert.Equal(1, end.GetProperty("lastSeq").GetInt64());
    }

    [Fact]
    public async Task A_commit_of_256_changes_is_announced_one_by_one_and_a_larger_one_is_read_in_windows()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var a = await stage.Live();
        var reads = engine.Reads;
        engine.Announce(null, [.. Enumerable.Range(0, 256).Select(i => engine.Put($"g{i}"))]);
        await a.Until(_ => a.Cursor == 256);
        Assert.Equal(reads, engine.Reads);
        engine.Announce(null, [.. Enumerable.Range(0, 257).Select(i => engine.Put($"h{i}"))]);
        await a.Until(_ => a.Cursor == 513);
        Assert.Equal(reads + 1, engine.Reads);
    }

    [Fact]
    public async Task A_socket_that_is_not_live_yet_gets_its_own_change_back_like_any_other()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var a = await stage.Live();
        var (reading, begun, writing) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        engine.Reading = reading.Task;
        await a.Ask(0);
        engine.Next(async request =>
        {
            begun.SetResult();
            await writing.Task;
            var own = engine.Put("mine");
            engine.Announce(request.ConnectionId, own);
            return engine.Answer(request, ItemStatus.Created, own);
        });
        await Send(a, "mine", "m");
        await begun.Task;
        reading.SetResult();
        await a.Next("SYNC_RESPONSE");
        writing.SetResult();
        await a.Until(f => SocketClient.Has(f, "mutationId"));
        Assert.Contains(a.Seen, f => SocketClient.Type(f) == "GOAL_UPDATED");
    }

    private static Task Send(SocketClient socket, string id, string mutation) =>
        socket.Send($$"""{"type":"GOAL_UPDATED","mutationId":"{{mutation}}","goal":{"id":"{{id}}"} }""");

    private static bool EndsWindow(JsonElement frame) => SocketClient.Has(frame, "after") && SocketClient.Has(frame, "lastSeq");

    private static bool Acknowledged(JsonElement frame) =>
        SocketClient.Has(frame, "mutationId") && SocketClient.Type(frame) == "SYNC_RESPONSE";

    private static bool Numbered(JsonElement frame) =>
        SocketClient.Has(frame, "seq") || (SocketClient.Has(frame, "lastSeq") && SocketClient.Has(frame, "mutationId"));

    private static string Told(JsonElement frame) =>
        (SocketClient.Has(frame, "mutationId") ? frame.GetProperty("mutationId").GetString() : SocketClient.Type(frame))
        + $":{frame.GetProperty("seq").GetInt64()}";
}
