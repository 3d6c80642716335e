namespace Mirubato.Tests.Sockets;

/// <summary>Old bugs of catch-up, each by its symptom.</summary>
public abstract partial class SocketContract
{
    [Fact]
    public async Task Catch_up_by_sequence_skips_neither_what_came_over_http_nor_pieces_older_than_the_newest_entry()
    {
        var a = await Live();
        await a.Mutate("ENTRY_CREATED", $"\"entry\":{Entry("e1", "x")}");
        await Http().Push("\"repertoire\":[{\"scoreId\":\"a-b\"}],\"goals\":[{\"id\":\"g\"}],\"practicePlans\":[{\"id\":\"p\"}]");
        await a.Mutate("ENTRY_CREATED", $"\"entry\":{Entry("e2", "x")}");
        var back = await Open();
        await back.Sync(1);
        Assert.Equal(
            ["BULK_SYNC", "GOAL_UPDATED", "PLAN_UPDATED", "REPERTOIRE_BULK_SYNC"],
            back.Seen.Select(SocketClient.Type).Where(type => type is not ("WELCOME" or "SYNC_RESPONSE")).Order());
        Assert.Equal(5, back.Cursor);
    }

    [Fact]
    public async Task A_cursor_never_outruns_what_was_delivered_when_the_connection_drops_in_a_catch_up()
    {
        await Http().Push($"\"entries\":[{Many(1_200, i => Entry($"e{i}", "x", 60))}]");
        await Http().Push(
            $"\"entries\":[{Many(300, i => $"{{\"id\":\"e{i * 4}\",\"deletedAt\":\"{Iso()}\"}}")}],\"goals\":[{Many(100, i => $"{{\"id\":\"g{i}\"}}")}]");
        var (live, gone, cursor) = (new HashSet<string>(), new HashSet<string>(), 0L);
        for (var frames = 1; cursor < 1_600; frames++)
        {
            // It receives one frame more each time, and reconnects with the cursor it has by then.
            var client = await Open();
            await client.Ask(cursor);
            for (var i = 0; i < frames; i++)
            {
                var frame = await client.Next();
                if (SocketClient.Has(frame, "entries"))
                {
                    live.UnionWith(frame.GetProperty("entries").EnumerateArray().Select(e => Text(e, "id")));
                }
                if (SocketClient.Has(frame, "entryId")) gone.Add(Text(frame, "entryId"));
                foreach (var member in (string[])["seq", "lastSeq"])
                {
                    if (SocketClient.Has(frame, member)) cursor = Math.Max(cursor, frame.GetProperty(member).GetInt64());
                }

                if (cursor >= 1_600) break;
            }

            await client.Drop();
            frames *= 2;
        }

        Assert.Equal(900, live.Except(gone).Count());
        Assert.Equal(300, gone.Count);
    }

    [Fact]
    public async Task A_delete_over_http_takes_a_revision_and_reaches_every_socket()
    {
        var (a, b) = (await Live(), await Live());
        await a.Mutate("ENTRY_CREATED", $"\"entry\":{Entry("e", "x", 60)}");
        await Http().Push($"\"entries\":[{{\"id\":\"e\",\"deletedAt\":\"{Iso()}\"}}]");
        foreach (var client in (SocketClient[])[a, b])
        {
            Assert.Equal(
                (2L, "e"), (Seq(await client.Until(f => SocketClient.Type(f) == "ENTRY_DELETED")), Text(client.Seen[^1], "entryId")));
        }
    }

    [Fact]
    public async Task A_socket_that_was_reset_continues_from_its_new_cursor_and_is_not_reset_again()
    {
        await Http().PushEntry(Entry("e", "x"));
        var client = await Open();
        Assert.True((await client.Sync(99_999_999)).GetProperty("reset").GetBoolean());
        for (var i = 0; i < 5; i++)
        {
            var again = await client.Sync(client.Cursor);
            Assert.Equal(
                ("No new data to sync", 1L, false),
                (Text(again, "message"), again.GetProperty("lastSeq").GetInt64(), SocketClient.Has(again, "reset")));
        }
    }

    [Fact]
    public async Task Five_requests_at_one_cursor_at_once_end_in_one_place()
    {
        await Http().PushEntry(Entry("e", "x"));
        var client = await Live();
        for (var i = 0; i < 5; i++) await client.Ask(1);
        await client.Next("SYNC_RESPONSE");
        await Http().PushEntry(Entry("f", "x"));
        await client.Until(_ => client.Cursor == 2);
        Assert.InRange(client.Seen.Count(f => SocketClient.Type(f) == "SYNC_RESPONSE"), 2, 6);
        Assert.Equal(1, client.Seen.Count(f => f.ToString().Contains("\"f\"", StringComparison.Ordinal)));
    }
}
