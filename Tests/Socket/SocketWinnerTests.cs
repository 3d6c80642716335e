using System.Text.Json;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Sockets;

/// <summary>
/// Winning copies, which have no place in the order and yet must undo nothing that came in it: an existing client shows the plan that came
/// last.
/// </summary>
public sealed class SocketWinnerTests
{
    [Fact]
    public async Task A_winner_does_not_arrive_after_what_has_replaced_it_meanwhile()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        engine.Put("x", "first");
        var a = await stage.Live();

        // It reads on while its change is decided against the first, and is given the second before the answer.
        var first = engine.Stored("x");
        engine.Put("x", "second");
        var (page, given) = (new TaskCompletionSource(), new TaskCompletionSource());
        engine.Answering = page.Task;
        engine.Next(async request =>
        {
            page.SetResult();
            await given.Task;
            return engine.Answer(request, ItemStatus.Conflict, first);
        });
        await a.Send("{\"type\":\"SYNC_REQUEST\",\"timestamp\":\"2026-11-22T10:00:00.000Z\",\"lastSeq\":1}");
        await Send(a, "m");
        await a.Until(_ => a.Cursor == 2);
        given.SetResult();
        await Acknowledged(a, "m");

        Assert.Equal("second", Shown(a));
    }

    [Fact]
    public async Task A_winner_that_is_sent_again_does_not_arrive_after_what_has_replaced_it_meanwhile()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        engine.Put("x", "first");
        var a = await stage.Live();
        engine.Next(request => Task.FromResult(engine.Answer(request, ItemStatus.Conflict, engine.Stored("x"))));
        await Send(a, "m");
        await Acknowledged(a, "m");

        // What is read for the replay is on its way when the second comes.
        var read = new TaskCompletionSource();
        var isReading = engine.HasRead(engine.Reads + 1);
        engine.Answering = read.Task;
        engine.Next(request => Task.FromResult(engine.Answer(request, ItemStatus.Conflict, engine.Stored("x")) with { Replayed = true }));
        await Send(a, "m");
        await isReading;
        engine.Announce(null, engine.Put("x", "second"));
        await a.Until(_ => a.Cursor == 2);
        read.SetResult();
        await Acknowledged(a, "m");

        Assert.Equal("second", Shown(a));
    }

    [Fact]
    public async Task A_winner_is_sent_although_it_was_announced_meanwhile_if_its_receiver_was_only_sent_an_acknowledgement_of_it()
    {
        await using var stage = await ScriptedStage.Start();
        var engine = stage.Engine;
        var a = await stage.Live();
        (StoredRow Row, string? Writer)? own = null;
        engine.Next(request =>
        {
            own = (engine.Put("x", "earlier"), request.ConnectionId);
            return Task.FromResult(engine.Answer(request, ItemStatus.Created, own.Value.Row));
        });
        engine.Next(request =>
        {
            // The announcement of the earlier write is late, as it may be from another silo.
            engine.Announce(own!.Value.Writer, own.Value.Row);
            return Task.FromResult(engine.Answer(request, ItemStatus.Conflict, own.Value.Row));
        });
        await Send(a, "m1");
        await Send(a, "m2");
        await Acknowledged(a, "m2");

        Assert.Equal("earlier", Shown(a));
    }

    private static Task Send(SocketClient socket, string mutation) =>
        socket.Send(
            $$"""{"type":"GOAL_UPDATED","timestamp":"2026-11-22T10:00:00.000Z","mutationId":"{{mutation}}","goal":{"id":"x","title":"mine"} }""");

    private static Task<JsonElement> Acknowledged(SocketClient socket, string mutation) =>
        socket.Until(frame => SocketClient.Has(frame, "mutationId") && frame.GetProperty("mutationId").GetString() == mutation);

    /// <summary>What a client shows that takes every copy as it comes.</summary>
    private static string? Shown(SocketClient socket) => socket.Seen
        .Where(frame => frame.TryGetProperty("goal", out _))
        .Select(frame => frame.GetProperty("goal").GetProperty("title").GetString()).LastOrDefault();
}
