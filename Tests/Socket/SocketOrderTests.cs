using System.Text.Json;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Sockets;

/// <summary>Orders of events that a machine rarely brings about by itself.</summary>
public sealed class SocketOrderTests
{
    [Fact]
    public async Task An_own_write_in_flight_while_an_older_acknowledgement_waits_shows_its_sender_no_hole()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var (a, b) = (await stage.Live(), await stage.Live());

        // Another process stored x; nobody here has heard of it, and the acknowledgement that names it waits.
        var elsewhere = engine.Put("x");
        engine.Next(request => Task.FromResult(engine.Answer(request, ItemStatus.Unchanged, elsewhere)));
        await Send(a, "x", "first");

        // Then the socket replaces it, so that what it waits for is never told, and another change comes right behind.
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

        await a.Until(_ => a.Cursor == 3);
        Assert.Equal(["second:2", "first:1", "GOAL_UPDATED:3"], a.Seen.Where(Numbered).Select(Told).TakeLast(3));
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
        await a.Until(_ => a.Cursor == 2);
        Assert.Equal(["GOAL_UPDATED:1", "m:2"], a.Seen.Where(Numbered).Select(Told).TakeLast(2));
    }

    [Fact]
    public async Task What_comes_behind_an_own_change_waits_for_its_acknowledgement()
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
    public async Task A_write_whose_outcome_is_not_known_is_read_again_by_its_sender_once_it_is_heard_of()
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
        // The event may have come ahead of the error.
        if (a.Cursor == 0) await a.Until(_ => a.Cursor == 1);
        Assert.Contains(a.Seen, frame => SocketClient.Type(frame) == "GOAL_UPDATED");
    }

    [Fact]
    public async Task A_hint_of_another_process_is_read_once_however_often_it_is_heard()
    {
        await using var stage = await ScriptedStage.Start();
        var a = await stage.Live();
        var reads = stage.Engine.Reads;
        stage.Engine.Put("x");
        stage.HeadMoved();
        await a.Until(_ => a.Cursor == 1);
        stage.HeadMoved();
        stage.Hint(user => new HeadMoved(user, new SyncToken(stage.Engine.Head.Epoch, new Revision(0))));
        Assert.Empty(await a.Settle());
        Assert.Equal(1, stage.Engine.Reads - reads);
    }

    [Fact]
    public async Task Announcements_that_skip_a_revision_are_told_in_order_once_the_gap_is_read()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var a = await stage.Live();
        var reading = new TaskCompletionSource();
        engine.Reading = reading.Task;
        engine.Put("elsewhere");
        engine.Announce(null, engine.Put("two"));
        engine.Announce(null, engine.Put("three"));
        Assert.Empty(await a.Settle());
        reading.SetResult();
        await a.Until(_ => a.Cursor == 3);
        Assert.Equal(["GOAL_UPDATED:1", "GOAL_UPDATED:2", "GOAL_UPDATED:3"], a.Seen.Where(Numbered).Select(Told).TakeLast(3));
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

    private static Task Send(SocketClient socket, string id, string mutation) =>
        socket.Send($$"""{"type":"GOAL_UPDATED","mutationId":"{{mutation}}","goal":{"id":"{{id}}"} }""");

    private static bool Numbered(JsonElement frame) => SocketClient.Has(frame, "seq") || (SocketClient.Has(frame, "lastSeq") && SocketClient.Has(frame, "mutationId"));

    private static string Told(JsonElement frame) =>
        $"{(SocketClient.Has(frame, "mutationId") ? frame.GetProperty("mutationId").GetString() : SocketClient.Type(frame))}:{frame.GetProperty("seq").GetInt64()}";
}
