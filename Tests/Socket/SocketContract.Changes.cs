using System.Text;
using System.Text.Json;

namespace Mirubato.Tests.Sockets;

public abstract partial class SocketContract
{
    [Fact]
    public async Task A_change_reaches_the_others_and_is_acknowledged_to_its_sender()
    {
        var (a, b, c) = (await Live(), await Live(), await Live());
        var ack = await a.Mutate("ENTRY_CREATED", $"\"entry\":{Entry("e1", "slow")}", "m1");
        Assert.Equal("SYNC_RESPONSE", SocketClient.Type(ack));
        Assert.Equal("Mutation applied", Text(ack, "message"));
        Assert.Equal("created", Text(ack, "status"));
        Assert.Equal("m1", Text(ack, "mutationId"));
        Assert.Equal(1, Seq(ack));
        Assert.Equal(1, ack.GetProperty("lastSeq").GetInt64());
        Assert.Equal(1, ack.GetProperty("version").GetInt64());
        foreach (var other in new[] { b, c })
        {
            var received = await other.Next("ENTRY_CREATED");
            Assert.Equal("slow", Text(received.GetProperty("entry"), "notes"));
            Assert.Equal((0L, 1L), (received.GetProperty("after").GetInt64(), Seq(received)));
            Assert.EndsWith("Z", Text(received, "timestamp"), StringComparison.Ordinal);
        }

        Assert.Empty(await a.Settle());
        Assert.Equal("slow", Text((await Http().Pull()).GetProperty("entries")[0], "notes"));
    }

    [Fact]
    public async Task A_write_over_http_reaches_every_socket()
    {
        var (a, b) = (await Live(), await Live());
        await Http().Push($"\"entries\":[{Entry("e1", "x")}],\"goals\":[{{\"id\":\"g\",\"title\":\"t\",\"updatedAt\":\"{Iso()}\"}}]");
        foreach (var client in new[] { a, b })
        {
            Assert.Equal(1, Seq(await client.Next("ENTRY_CREATED")));
            Assert.Equal(2, Seq(await client.Next("GOAL_UPDATED")));
        }
    }

    [Theory]
    [InlineData("ENTRY_CREATED", "\"entry\":{\"id\":\"x\",\"n\":1}", "ENTRY_CREATED", "entry")]
    [InlineData("ENTRY_UPDATED", "\"entry\":{\"id\":\"x\",\"n\":1}", "ENTRY_CREATED", "entry")]
    [InlineData("GOAL_UPDATED", "\"goal\":{\"id\":\"x\",\"n\":1}", "GOAL_UPDATED", "goal")]
    [InlineData("PIECE_ADDED", "\"piece\":{\"scoreId\":\"a-b\",\"n\":1}", "PIECE_ADDED", "piece")]
    [InlineData("PIECE_UPDATED", "\"piece\":{\"score_id\":\"a-b\",\"n\":1}", "PIECE_ADDED", "piece")]
    [InlineData("PLAN_CREATED", "\"plan\":{\"id\":\"x\",\"n\":1}", "PLAN_CREATED", "plan")]
    [InlineData("PLAN_OCCURRENCE_COMPLETED", "\"occurrence\":{\"id\":\"x\",\"planId\":\"p\"}", "PLAN_OCCURRENCE_COMPLETED", "occurrence")]
    [InlineData("TEMPLATE_UPDATED", "\"template\":{\"id\":\"x\",\"n\":1}", "TEMPLATE_UPDATED", "template")]
    [InlineData("PREFERENCES_UPDATED", "\"preferences\":{\"theme\":\"dark\"}", "PREFERENCES_UPDATED", "preferences")]
    [InlineData("ENTITY_UPDATED", "\"entityType\":\"metronome_preset\",\"entityId\":\"x\",\"entity\":{\"id\":\"x\",\"bpm\":60}", "ENTITY_UPDATED", "entity")]
    [InlineData("BULK_SYNC", "\"entries\":[{\"id\":\"x\",\"n\":1}]", "ENTRY_CREATED", "entry")]
    [InlineData("REPERTOIRE_BULK_SYNC", "\"pieces\":[{\"scoreId\":\"a-b\",\"n\":1}]", "PIECE_ADDED", "piece")]
    public async Task Every_kind_of_change_is_stored_and_announced(string sent, string members, string received, string payload)
    {
        var (a, b) = (await Live(), await Live());
        var ack = await a.Mutate(sent, members);
        Assert.Equal("SYNC_RESPONSE", SocketClient.Type(ack));
        Assert.Equal("created", Text(ack, "status"));
        var frame = await b.Next();
        Assert.Equal(received, SocketClient.Type(frame));
        Assert.Equal(1, Seq(frame));
        Assert.Equal(JsonValueKind.Object, frame.GetProperty(payload).ValueKind);
        Assert.True(SocketClient.Has(frame.GetProperty(payload), "updatedAt"));
    }

    [Theory]
    [InlineData("ENTRY_UPDATED", "\"entry\":{\"id\":\"x\"}", "ENTRY_DELETED", "entryId", "x")]
    [InlineData("GOAL_UPDATED", "\"goal\":{\"id\":\"x\"}", "GOAL_DELETED", "goalId", "x")]
    [InlineData("PIECE_ADDED", "\"piece\":{\"scoreId\":\"A - B\"}", "PIECE_REMOVED", "scoreId", "a-b")]
    [InlineData("PLAN_CREATED", "\"plan\":{\"id\":\"x\"}", "PLAN_DELETED", "planId", "x")]
    [InlineData("TEMPLATE_UPDATED", "\"template\":{\"id\":\"x\"}", "TEMPLATE_DELETED", "templateId", "x")]
    public async Task A_deletion_has_an_event_type_of_its_own(string create, string document, string delete, string idMember, string id)
    {
        var (a, b) = (await Live(), await Live());
        await a.Mutate(create, document);
        await b.Next();
        // The client's own spelling of the id does as well.
        var ack = await a.Mutate(delete, $"\"{idMember}\":\"{id.ToUpperInvariant().Replace("X", "x", StringComparison.Ordinal)}\"");
        Assert.Equal("deleted", Text(ack, "status"));
        var received = await b.Next(delete);
        Assert.Equal(id, Text(received, idMember));
        Assert.Equal(2, Seq(received));
    }

    [Fact]
    public async Task A_dissociated_piece_goes_and_its_entries_stay()
    {
        var (a, b) = (await Live(), await Live());
        await a.Mutate("PIECE_ADDED", "\"piece\":{\"scoreId\":\"a-b\"}");
        await a.Mutate("ENTRY_CREATED", $"\"entry\":{Entry("e", "n", 0, ",\"scoreId\":\"a-b\"")}");
        await a.Mutate("PIECE_DISSOCIATED", "\"scoreId\":\"a-b\"");
        await b.Next("PIECE_REMOVED");
        var pull = await Http().Pull();
        Assert.Equal(1, pull.GetProperty("entries").GetArrayLength());
        Assert.Equal(0, pull.GetProperty("repertoire").GetArrayLength());
    }

    [Fact]
    public async Task A_plan_and_its_occurrences_are_a_revision_each_and_one_event()
    {
        var (a, b) = (await Live(), await Live());
        var ack = await a.Mutate(
            "PLAN_CREATED", "\"plan\":{\"id\":\"p\"},\"occurrences\":[{\"id\":\"o1\",\"planId\":\"p\"},{\"id\":\"o2\",\"plan_id\":\"p\"}]");
        Assert.Equal(3, Seq(ack));
        var received = await b.Next("PLAN_CREATED");
        Assert.Equal((0L, 3L), (received.GetProperty("after").GetInt64(), Seq(received)));
        Assert.Equal(["o1", "o2"], received.GetProperty("occurrences").EnumerateArray().Select(o => Text(o, "id")));
        await a.Mutate("PLAN_DELETED", "\"planId\":\"p\"");
        Assert.Equal(2, (await Http().Pull()).GetProperty("planOccurrences").GetArrayLength());
    }

    [Fact]
    public async Task A_bulk_change_is_one_commit_and_one_acknowledgement_with_results()
    {
        var (a, b) = (await Live(), await Live());
        var ack = await a.Mutate("BULK_SYNC", $"\"entries\":[{Entry("e1", "a")},{{\"notes\":\"no id\"}},{Entry("e2", "b")}]");
        Assert.Equal(2, Seq(ack));
        Assert.Equal(["created", "refused", "created"], ack.GetProperty("results").EnumerateArray().Select(r => Text(r, "status")));
        Assert.Equal(1, Seq(await b.Next("ENTRY_CREATED")));
        Assert.Equal(2, Seq(await b.Next("ENTRY_CREATED")));
    }

    [Fact]
    public async Task The_same_action_over_http_and_socket_is_one_event_and_no_conflict()
    {
        var (a, b) = (await Live(), await Live());
        var at = Iso();
        await Http("phone").PushEntry(
            $"{{\"id\":\"e\",\"notes\":\"x\",\"mood\":null,\"pieces\":[{{\"id\":\"made-up\",\"title\":\"T\"}}],\"updatedAt\":\"{at}\"}}");
        var ack = await a.Mutate(
            "ENTRY_CREATED",
            $"\"entry\":{{\"id\":\"e\",\"notes\":\"x\",\"pieces\":[{{\"title\":\"T\"}}],\"extra\":1,\"updatedAt\":\"{at}\"}}");
        Assert.Equal("unchanged", Text(ack, "status"));
        Assert.Single(await Frames(b), f => SocketClient.Type(f) == "ENTRY_CREATED");
        Assert.Empty((await Http().Get("/api/sync/conflicts")).GetProperty("conflicts").EnumerateArray());
    }

    [Fact]
    public async Task A_repeated_mutation_is_acknowledged_again_and_happens_once()
    {
        var (a, b) = (await Live(), await Live());
        var first = await a.Mutate("ENTRY_CREATED", $"\"entry\":{{\"id\":\"e\",\"n\":1}}", "same");
        var again = await a.Mutate("ENTRY_CREATED", $"\"timestamp\":\"{Iso()}\",\"entry\":{{\"id\":\"e\",\"n\":1}}", "same");
        Assert.Equal(Seq(first), Seq(again));
        Assert.Equal("created", Text(again, "status"));
        var other = await a.Mutate("ENTRY_CREATED", "\"entry\":{\"id\":\"e\",\"n\":2}", "same");
        Assert.Equal("MUTATION_ID_REUSED", Text(other, "code"));
        Assert.Single(await Frames(b), f => SocketClient.Type(f).StartsWith("ENTRY_", StringComparison.Ordinal));

        // On another socket, whose client has not been sent that far, it waits until it has.
        var late = await Open();
        await late.Send("""{"type":"ENTRY_CREATED","mutationId":"same","entry":{"id":"e","n":1}}""");
        await late.Sync();
        Assert.Equal(1, Seq(late.Seen.Single(f => SocketClient.Has(f, "mutationId"))));
    }

    [Fact]
    public async Task A_sender_that_loses_gets_the_winning_copy_and_no_other_socket_does()
    {
        var (a, b) = (await Live(), await Live());
        await Http("phone").PushEntry(Entry("e", "newer"));
        await a.Next("ENTRY_CREATED");
        await b.Next("ENTRY_CREATED");
        await a.Send($$"""{"type":"ENTRY_UPDATED","mutationId":"m","deviceId":"old","entry":{{Entry("e", "older", 3600)}}}""");
        var copy = await a.Next("BULK_SYNC");
        Assert.Equal("newer", Text(copy.GetProperty("entries")[0], "notes"));
        Assert.False(SocketClient.Has(copy, "seq") || SocketClient.Has(copy, "lastSeq"));
        var ack = await a.Next();
        Assert.Equal(("conflict", "stale"), (Text(ack, "status"), Text(ack, "reason")));
        Assert.Empty(await b.Settle());
        Assert.Equal(1, (await Http().Get("/api/sync/conflicts")).GetProperty("conflicts").GetArrayLength());
    }

    [Fact]
    public async Task A_sender_that_lost_and_repeats_its_change_gets_the_winning_copy_again()
    {
        var a = await Live();
        await Http("phone").Push(
            $"\"entries\":[{Entry("e", "newer")},{Entry("f", "newer")}],\"goals\":[{{\"id\":\"g\",\"deletedAt\":\"{Iso()}\"}}]");
        await a.Until(_ => a.Cursor == 3);
        var stale = $$"""{"type":"ENTRY_UPDATED","mutationId":"one","deviceId":"old","entry":{{Entry("e", "older", 3600)}}}""";
        var bulk =
            $$"""{"type":"BULK_SYNC","mutationId":"many","deviceId":"old","entries":[{{Entry("e", "older yet", 3600)}},{{Entry("x", "new")}},{{Entry("f", "older", 3600)}}]}""";
        var gone = $$$"""{"type":"GOAL_UPDATED","mutationId":"gone","deviceId":"old","goal":{"id":"g","updatedAt":"{{{Iso(3600)}}}"} }""";
        foreach (var frame in (string[])[stale, bulk, gone]) await a.Send(frame);
        await a.Until(f => SocketClient.Has(f, "mutationId") && Text(f, "mutationId") == "gone");

        // Its first answers never reached it.
        foreach (var again in (SocketClient[])[a, await Live()])
        {
            await again.Send(stale);
            Assert.Equal(["newer"], Notes(await again.Next("BULK_SYNC")));
            Assert.Equal(("conflict", "one"), (await again.Next() is var one ? Text(one, "status") : "", Text(one, "mutationId")));
            await again.Send(bulk);
            Assert.Equal(["newer", "newer"], Notes(await again.Next("BULK_SYNC")));
            Assert.Equal(
                ["conflict", "created", "conflict"],
                (await again.Next()).GetProperty("results").EnumerateArray().Select(r => Text(r, "status")));
            await again.Send(gone);
            Assert.Equal("g", Text(await again.Next("GOAL_DELETED"), "goalId"));
            Assert.Equal("gone", Text(await again.Next(), "mutationId"));
        }

        static IEnumerable<string> Notes(JsonElement frame) => frame.GetProperty("entries").EnumerateArray().Select(e => Text(e, "notes"));
    }

    [Fact]
    public async Task A_user_id_inside_a_document_is_the_tokens_whoever_it_names()
    {
        var (a, b) = (await Live(), await Live());
        await a.Mutate("ENTRY_CREATED", "\"entry\":{\"id\":\"e\",\"userId\":\"somebody-else\",\"user_id\":\"somebody-else\"}");
        await a.Mutate(
            "ENTITY_UPDATED",
            "\"entityType\":\"lesson\",\"entityId\":\"l\",\"entity\":{\"id\":\"l\",\"userId\":\"the-teacher\",\"user_id\":\"somebody-else\"}");
        var entry = (await b.Next("ENTRY_CREATED")).GetProperty("entry");
        Assert.Equal((user, user), (Text(entry, "userId"), Text(entry, "user_id")));
        // A type of the application's own may name anybody; whose it is says user_id.
        var lesson = (await b.Next("ENTITY_UPDATED")).GetProperty("entity");
        Assert.Equal(("the-teacher", user), (Text(lesson, "userId"), Text(lesson, "user_id")));
        using var other = Server().Device("somebody-else-entirely", null);
        Assert.Empty((await other.Pull()).GetProperty("entries").EnumerateArray());

        await a.Send("""{"type":"ENTRY_CREATED","mutationId":"m","userId":"somebody-else","entry":{"id":"f"}}""");
        Assert.Equal(("FORBIDDEN", "m"), (await a.Next("ERROR") is var error ? Text(error, "code") : "", Text(error, "mutationId")));
    }

    [Fact]
    public async Task An_edit_of_what_was_deleted_is_answered_with_the_deletion()
    {
        var a = await Live();
        await a.Mutate("ENTRY_CREATED", $"\"entry\":{Entry("e", "x", 60)}");
        await Http("phone").Push($"\"entries\":[{{\"id\":\"e\",\"deletedAt\":\"{Iso(30)}\"}}]");
        await a.Next("ENTRY_DELETED");
        await a.Send($$"""{"type":"ENTRY_UPDATED","mutationId":"m","entry":{{Entry("e", "late")}}}""");
        Assert.Equal("e", Text(await a.Next("ENTRY_DELETED"), "entryId"));
        Assert.Equal(("conflict", "deleted"), (await a.Next() is var ack ? Text(ack, "status") : "", Text(ack, "reason")));
    }

    [Fact]
    public async Task A_named_base_beats_any_clock()
    {
        var a = await Live();
        var first = await a.Mutate("ENTRY_CREATED", $"\"deviceId\":\"one\",\"entry\":{Entry("e", "x")}");
        var ack = await a.Mutate(
            "ENTRY_UPDATED", $"\"deviceId\":\"two\",\"baseVersion\":{first.GetProperty("version")},\"entry\":{Entry("e", "y", 3600)}");
        Assert.Equal("updated", Text(ack, "status"));
        // Its updatedAt was raised, so that clients that compare times take it; the sender receives that too.
        Assert.Contains(a.Seen, f => SocketClient.Type(f) == "ENTRY_UPDATED" && Seq(f) == 2);
        Assert.Empty((await Http().Get("/api/sync/conflicts")).GetProperty("conflicts").EnumerateArray());
    }

    [Fact]
    public async Task A_sender_without_a_clock_learns_from_the_acknowledgement_what_was_stored()
    {
        var a = await Live();
        var ack = await a.Mutate("ENTRY_CREATED", $"\"timestamp\":\"{Iso(5)}\",\"entry\":{{\"id\":\"no-clock\",\"n\":1}}");
        Assert.Equal(Text((await Http().Pull()).GetProperty("entries")[0], "updatedAt"), Text(ack, "updatedAt"));
        Assert.Empty(await a.Settle());
    }

    [Fact]
    public async Task The_same_session_saved_twice_keeps_both_rows()
    {
        var a = await Live();
        const string session = "\"timestamp\":\"2026-01-01T10:00:00.000Z\",\"duration\":25";
        await a.Mutate("ENTRY_CREATED", $"\"entry\":{{\"id\":\"one\",{session},\"updatedAt\":\"{Iso(1)}\"}}");
        var ack = await a.Mutate("ENTRY_CREATED", $"\"entry\":{{\"id\":\"two\",{session},\"updatedAt\":\"{Iso()}\"}}");
        Assert.Equal("created", Text(ack, "status"));
        Assert.Equal(2, (await Http().Pull()).GetProperty("entries").GetArrayLength());
    }

    [Fact]
    public async Task A_restored_conflict_reaches_every_socket()
    {
        var a = await Live();
        await a.Mutate("ENTRY_CREATED", $"\"deviceId\":\"one\",\"entry\":{Entry("e", "new")}");
        await a.Mutate("ENTRY_UPDATED", $"\"deviceId\":\"two\",\"entry\":{Entry("e", "old", 100)}");
        var http = Http();
        var id = Text((await http.Get("/api/sync/conflicts")).GetProperty("conflicts")[0], "id");
        await http.Ask(HttpMethod.Post, $"/api/sync/conflicts/{Uri.EscapeDataString(id)}/restore");
        var received = await a.Next("ENTRY_UPDATED");
        Assert.Equal("old", Text(received.GetProperty("entry"), "notes"));
    }

    [Fact]
    public async Task Changes_from_all_sides_reach_all_in_one_order()
    {
        var sockets = new List<SocketClient>();
        for (var i = 0; i < 5; i++) sockets.Add(await Live());
        var http = Http();
        await Task.WhenAll(sockets.Select(async (socket, s) =>
        {
            for (var i = 0; i < 20; i++) await socket.Mutate("ENTRY_UPDATED", $"\"entry\":{Entry($"e{i % 7}", $"{s}-{i}")}");
        }).Append(Pushes()));
        async Task Pushes()
        {
            for (var i = 0; i < 20; i++) await http.PushEntry(Entry($"h{i}", "x"));
        }

        var head = (await http.Get("/api/sync/status")).GetProperty("lastSeq").GetInt64();
        var stored = (await http.Pull()).GetProperty("entries").EnumerateArray().ToDictionary(e => Text(e, "id"), e => Text(e, "notes"));
        foreach (var socket in sockets)
        {
            if (socket.Cursor < head) await socket.Until(_ => socket.Cursor >= head);
            var received = socket.Seen.Where(f => SocketClient.Has(f, "entry"))
                .GroupBy(f => Text(f.GetProperty("entry"), "id"))
                .Select(g => g.Last());
            foreach (var frame in received.Where(f => Text(f.GetProperty("entry"), "id").StartsWith('h')))
            {
                Assert.Equal(stored[Text(frame.GetProperty("entry"), "id")], Text(frame.GetProperty("entry"), "notes"));
            }
            Assert.Empty(socket.Faults);
        }
    }

    /// <summary>What has come since, in order, once all that was written before has been sent.</summary>
    private async Task<IReadOnlyList<JsonElement>> Frames(SocketClient client)
    {
        var marker = $"marker-{Guid.NewGuid():n}";
        await Http().PushEntry(Entry(marker, "m"));
        await client.Until(f => Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(f)).Contains(marker, StringComparison.Ordinal));
        return [.. client.Seen.Where(f => !f.ToString().Contains(marker, StringComparison.Ordinal))];
    }
}
