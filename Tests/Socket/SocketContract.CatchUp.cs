using System.Text;
using System.Text.Json;

namespace Mirubato.Tests.Sockets;

public abstract partial class SocketContract
{
    [Fact]
    public async Task Nothing_but_pong_comes_before_the_request()
    {
        await Http().PushEntry(Entry("e", "x"));
        var client = await Open();
        await client.Send("{\"type\":\"PING\"}");
        Assert.Equal("PONG", SocketClient.Type(await client.Next()));
        await client.Ask();
        Assert.Equal("BULK_SYNC", SocketClient.Type(await client.Next()));
    }

    [Fact]
    public async Task A_client_that_sends_no_SYNC_REQUEST_gets_the_recent_changes()
    {
        var first = await Live();
        await first.Mutate("ENTRY_CREATED", $"\"entry\":{Entry("e", "while it was away")}");
        var back = await Open();
        var told = await back.Next();
        Assert.Equal("while it was away", Text(told.GetProperty("entries")[0], "notes"));
        await first.Mutate("GOAL_UPDATED", "\"goal\":{\"id\":\"g\"}");
        Assert.Equal(2, Seq(await back.Next("GOAL_UPDATED")));
    }

    [Fact]
    public async Task Catch_up_without_a_cursor_is_everything_tombstones_too()
    {
        var http = Http();
        await http.Push(
            $"\"entries\":[{Entry("e1", "x")},{Entry("e2", "x")}],\"repertoire\":[{{\"scoreId\":\"a-b\"}}],\"goals\":[{{\"id\":\"g\"}}]");
        await http.Push($"\"entries\":[{{\"id\":\"e1\",\"deletedAt\":\"{Iso(-1)}\"}}]");
        var client = await Open();
        var end = await client.Sync();
        Assert.Equal(("Sync complete", 5L), (Text(end, "message"), end.GetProperty("lastSeq").GetInt64()));
        Assert.Equal("e2", Text(Assert.Single(client.Seen, f => SocketClient.Type(f) == "BULK_SYNC").GetProperty("entries")[0], "id"));
        Assert.Contains(client.Seen, f => SocketClient.Type(f) == "REPERTOIRE_BULK_SYNC");
        Assert.Contains(client.Seen, f => SocketClient.Type(f) == "GOAL_UPDATED");
        Assert.Contains(client.Seen, f => SocketClient.Type(f) == "ENTRY_DELETED" && Text(f, "entryId") == "e1");
        Assert.Single(client.Seen, f => SocketClient.Has(f, "after"));
    }

    [Fact]
    public async Task Catch_up_behind_at_and_ahead_of_the_head()
    {
        var http = Http();
        for (var i = 1; i <= 3; i++) await http.PushEntry(Entry($"e{i}", "x"));
        var client = await Open();
        var end = await client.Sync(2);
        Assert.Equal(
            ["e3"],
            client.Seen.Where(f => SocketClient.Type(f) == "BULK_SYNC")
                .SelectMany(f => f.GetProperty("entries").EnumerateArray())
                .Select(e => Text(e, "id")));
        Assert.Equal(3, end.GetProperty("lastSeq").GetInt64());

        var atHead = await client.Sync(3);
        Assert.Equal(("No new data to sync", 3L), (Text(atHead, "message"), atHead.GetProperty("lastSeq").GetInt64()));
        Assert.False(SocketClient.Has(atHead, "reset"));

        var ahead = await client.Sync(99_999_999);
        Assert.True(ahead.GetProperty("reset").GetBoolean());
        Assert.Equal(3, ahead.GetProperty("lastSeq").GetInt64());
        Assert.Contains(client.Seen, f => SocketClient.Type(f) == "BULK_SYNC" && f.GetProperty("entries").GetArrayLength() == 3);
    }

    [Fact]
    public async Task A_last_sync_time_alone_is_ignored()
    {
        await Http().PushEntry(Entry("e", "x"));
        var client = await Open();
        await client.Send($$"""{"type":"SYNC_REQUEST","lastSyncTime":"{{Iso(-3600)}}"}""");
        Assert.Equal("BULK_SYNC", SocketClient.Type(await client.Next()));
    }

    [Fact]
    public async Task An_erased_history_starts_over_on_every_socket()
    {
        var live = await Live();
        await live.Mutate("ENTRY_CREATED", $"\"entry\":{Entry("e", "x")}");
        using var erase = await Http().Send(HttpMethod.Delete, "/api/sync/data", headers: ("Confirm", "erase"));
        Assert.True(erase.IsSuccessStatusCode);
        var head = (await Http().Get("/api/sync/status")).GetProperty("lastSeq").GetInt64();
        var reset = await live.Until(f => SocketClient.Has(f, "reset"));
        Assert.Equal(0, reset.GetProperty("lastSeq").GetInt64());
        Assert.Equal("e", Text(await live.Next("ENTRY_DELETED"), "entryId"));
        Assert.Equal(head, live.Cursor);

        var late = await Open();
        Assert.True((await late.Sync(1)).GetProperty("reset").GetBoolean());
    }

    [Fact]
    public async Task Ten_thousand_mixed_entities_come_in_windows_while_others_write()
    {
        const int each = 2_500;
        var http = Http();
        await http.Push($"\"entries\":[{Many(each, i => Entry($"e{i}", new string('n', 60)))}]");
        await http.Push(
            $"\"repertoire\":[{Many(each, i => $"{{\"scoreId\":\"s{i}-c\"}}")}],\"goals\":[{Many(each, i => $"{{\"id\":\"g{i}\"}}")}]");
        await http.Push(
            $"\"practicePlans\":[{Many(each / 5, i => $"{{\"id\":\"p{i}\"}}")}],\"planOccurrences\":[{Many(each * 4 / 5, i => $"{{\"id\":\"o{i}\",\"planId\":\"p{i % (each / 5)}\"}}")}]");
        var writer = await Live();
        var client = await Open();
        await client.Ask();
        await client.Next("BULK_SYNC");
        await writer.Mutate("ENTRY_UPDATED", $"\"entry\":{Entry("e0", "in the middle", -1)}");
        var end = await client.Until(f => SocketClient.Type(f) == "SYNC_RESPONSE");
        var head = end.GetProperty("lastSeq").GetInt64();
        if (head == 4 * each) await client.Next("ENTRY_UPDATED");

        var bulk = client.Seen.Where(f => SocketClient.Type(f).EndsWith("BULK_SYNC", StringComparison.Ordinal)).ToList();
        Assert.All(bulk, f => Assert.InRange(Items(f), 1, 250));
        Assert.Equal(each, Distinct(client, "entries").Count);
        Assert.Equal(each, Distinct(client, "pieces").Count);
        Assert.Equal(each, client.Seen.Count(f => SocketClient.Type(f) == "GOAL_UPDATED"));
        Assert.Equal(
            each / 5,
            client.Seen.Where(f => SocketClient.Has(f, "plan")).Select(f => Text(f.GetProperty("plan"), "id")).Distinct().Count());
        var occurrences = client.Seen.Where(f => SocketClient.Has(f, "occurrences")).SelectMany(
            f => f.GetProperty("occurrences").EnumerateArray())
            .Concat(client.Seen.Where(f => SocketClient.Has(f, "occurrence")).Select(f => f.GetProperty("occurrence")));
        Assert.Equal(each * 4 / 5, occurrences.Select(o => Text(o, "id")).Distinct().Count());
        Assert.Contains(client.Seen, f => f.ToString().Contains("in the middle", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_first_push_overflows_every_socket_and_each_gets_everything_in_order()
    {
        var sockets = new List<SocketClient>();
        for (var i = 0; i < 9; i++) sockets.Add(await Live());
        await Http().Push($"\"entries\":[{Many(5_000, i => Entry($"e{i}", "x"))}]");
        await Http().PushEntry(Entry("last", "x"));
        foreach (var socket in sockets)
        {
            while (socket.Cursor < 5_001) await socket.Next();
            Assert.Equal(
                5_001,
                Distinct(socket, "entries")
                    .Concat(socket.Seen.Where(f => SocketClient.Has(f, "entry")).Select(f => Text(f.GetProperty("entry"), "id")))
                    .Distinct()
                    .Count());
        }
    }

    [Fact]
    public async Task A_stalled_reader_falls_behind_alone_and_rejoins_with_everything()
    {
        var (slow, quick) = (await Live(), await Live());
        var note = new string('n', 200_000);
        var http = Http();
        using (await slow.Stall())
        {
            for (var i = 0; i < 80; i++)
            {
                await http.PushEntry(Entry($"e{i % 60}", $"{i}{note}", -i));
                if (i % 20 == 0) await quick.Until(_ => quick.Cursor > i);
            }
        }

        while (slow.Cursor < 80) await slow.Next();
        var last = slow.Seen.SelectMany(
            f =>
                SocketClient.Has(f, "entry") ? [f.GetProperty("entry")] : SocketClient.Has(f, "entries") ? f.GetProperty("entries")
                    .EnumerateArray()
                    .ToArray() : [])
            .GroupBy(e => Text(e, "id")).ToDictionary(g => g.Key, g => Text(g.Last(), "notes"));
        Assert.Equal(60, last.Count);
        Assert.StartsWith("60n", last["e0"], StringComparison.Ordinal);
        Assert.StartsWith("79n", last["e19"], StringComparison.Ordinal);
        await http.PushEntry(Entry("after", "x"));
        await slow.Next("ENTRY_CREATED");
    }

    [Fact]
    public async Task Many_changes_in_a_row_of_one_socket_keep_their_order_with_those_of_others()
    {
        var (a, b) = (await Live(), await Live());
        var other = Task.Run(async () =>
        {
            for (var i = 0; i < 60; i++) await b.Mutate("ENTRY_UPDATED", $"\"entry\":{Entry($"b{i}", "x")}");
        });
        for (var i = 0; i < 60; i++) await a.Send($$"""{"type":"ENTRY_UPDATED","mutationId":"q{{i}}","entry":{{Entry($"a{i}", "x")}}}""");
        await a.Until(f => SocketClient.Has(f, "mutationId") && Text(f, "mutationId") == "q59");
        await other;
        Assert.Equal(
            Enumerable.Range(0, 60).Select(i => $"q{i}"),
            a.Seen.Where(f => SocketClient.Has(f, "mutationId")).Select(f => Text(f, "mutationId")));
        while (a.Cursor < 120) await a.Next();
    }

    private static string Many(int count, Func<int, string> item) =>
        new StringBuilder().AppendJoin(',', Enumerable.Range(0, count).Select(item)).ToString();

    private static int Items(JsonElement bulk) =>
        bulk.GetProperty(SocketClient.Has(bulk, "entries") ? "entries" : "pieces").GetArrayLength();

    private static HashSet<string> Distinct(SocketClient client, string member) =>
        [.. client.Seen.Where(f => SocketClient.Has(f, member))
            .SelectMany(f => f.GetProperty(member).EnumerateArray()).Select(e => Text(e, "id"))];
}
