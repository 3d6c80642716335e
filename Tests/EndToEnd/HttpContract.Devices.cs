using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mirubato.Tests.EndToEnd;

public abstract partial class HttpContract
{
    [Fact]
    public async Task Two_devices_synchronize_incrementally_and_a_delete_arrives_as_a_tombstone()
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        var start = (await phone.Pull()).Text("syncToken");
        await laptop.PushEntry(Entry("e1", "first"));
        var news = await phone.Pull(start);
        Assert.Equal("first", news.Only("entries").Text("notes"));
        Assert.Empty(news.List("deleted"));

        await laptop.PushEntry($"{{\"id\":\"e1\",\"deletedAt\":\"{Iso(-1)}\"}}");
        var later = await phone.Pull(news.Text("syncToken"));

        Assert.Empty(later.List("entries"));
        Assert.Equal("e1", later.Only("deleted").Text("entityId"));
        Assert.Empty((await phone.Pull(later.Text("syncToken"))).List("deleted"));
    }

    [Fact]
    public async Task A_stale_edit_loses_is_answered_with_the_winner_and_can_be_restored()
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        await laptop.PushEntry(Entry("e1", "newer"));
        var conflict = (await phone.PushEntry(Entry("e1", "older", secondsAgo: 60))).Only("conflicts");
        Assert.Equal("stale", conflict.Text("reason"));
        Assert.Equal("newer", conflict.GetProperty("server").Text("notes"));
        Assert.Equal("newer", (await phone.Pull()).Only("entries").Text("notes"));

        var kept = (await phone.Get("/api/sync/conflicts")).Only("conflicts");
        await phone.Ask(HttpMethod.Post, $"/api/sync/conflicts/{kept.Text("id")}/restore");

        Assert.Equal("older", (await laptop.Pull()).Only("entries").Text("notes"));
        Assert.Empty((await laptop.Get("/api/sync/conflicts")).List("conflicts"));
    }

    [Fact]
    public async Task A_cursor_over_all_types_skips_nothing_that_is_older_than_the_newest_entry() // 1
    {
        var device = Device("d");
        var first = (await device.Push($"\"entries\":[{Entry("e", "x")}]")).Only("results").GetProperty("seq").GetInt64();
        await device.Push($"\"goals\":[{{\"id\":\"g\",\"updatedAt\":1}}],\"repertoire\":[{{\"scoreId\":\"a-b\"}}]");
        var status = await device.Get("/api/sync/status");
        var token = status.Text("syncToken")!.Split('.')[0] + "." + first;

        var news = await device.Pull(token);

        Assert.Equal("g", news.Only("goals").Text("id"));
        Assert.Equal("a-b", news.Only("repertoire").Text("scoreId"));
        Assert.Empty(news.List("entries"));
    }

    [Fact]
    public async Task A_stale_full_logbook_push_neither_resurrects_nor_overwrites() // 3, 4, 15
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        var logbook = $"\"entries\":[{Entry("kept", "old", 100)},{Entry("edited", "old", 100)},{Entry("gone", "old", 100)}]";
        await laptop.Push(logbook);
        await phone.Push($"\"entries\":[{Entry("edited", "new", 10)},{{\"id\":\"gone\",\"deletedAt\":\"{Iso(10)}\"}}]");
        var head = (await phone.Get("/api/sync/status")).GetProperty("lastSeq").GetInt64();

        var again = await laptop.Push(logbook);

        Assert.Equal(["edited", "gone"], again.List("conflicts").Select(c => c.Text("entityId")).Order());
        Assert.Equal(head, (await phone.Get("/api/sync/status")).GetProperty("lastSeq").GetInt64());
        var all = await phone.Pull();
        Assert.Equal(["new", "old"], all.List("entries").Select(e => e.Text("notes")).Order());
        // What was replaced is in the feed; the copy of it that is sent again adds no row.
        Assert.Equal(2, (await phone.Get("/api/sync/conflicts")).List("conflicts").Count);
    }

    [Fact]
    public async Task Adding_a_piece_again_after_its_removal_stores_what_it_acknowledges() // 5, 6
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        await laptop.Push($"\"repertoire\":[{{\"scoreId\":\"Clair de Lune-Debussy\",\"updatedAt\":\"{Iso(60)}\"}}]");
        await laptop.Push($"\"repertoire\":[{{\"scoreId\":\"Clair de Lune-Debussy\",\"deletedAt\":\"{Iso(40)}\"}}]");
        Assert.Empty((await phone.Pull()).List("repertoire"));

        var added = (
            await phone.Push($"\"repertoire\":[{{\"scoreId\":\"clair de lune-debussy\",\"updatedAt\":\"{Iso(20)}\"}}]")).Only("results");

        Assert.Equal("created", added.Text("status"));
        Assert.Equal("clair de lune-debussy", (await laptop.Pull()).Only("repertoire").Text("scoreId"));
    }

    [Fact]
    public async Task What_was_written_in_2020_does_not_beat_2030() // 7
    {
        var device = Device("d");
        await device.PushEntry("{\"id\":\"e\",\"notes\":\"2030\",\"updatedAt\":\"2030-01-01T00:00:00.000Z\"}");
        await device.PushEntry("{\"id\":\"e\",\"notes\":\"2020\",\"updatedAt\":\"2020-01-01T00:00:00.000Z\"}");

        Assert.Equal("2030", (await device.Pull()).Only("entries").Text("notes"));
    }

    [Fact]
    public async Task A_push_replaces_the_whole_document_and_says_so() // 8
    {
        var device = Device("d");
        await device.PushEntry(Entry("e", "long", 60, ",\"mood\":\"proud\""));
        await device.PushEntry(Entry("e", "short"));

        Assert.False((await device.Pull()).Only("entries").TryGetProperty("mood", out _));
    }

    [Fact]
    public async Task Goals_can_be_deleted_in_either_spelling() // 9
    {
        var device = Device("d");
        await device.Push($"\"goals\":[{{\"id\":\"g1\",\"updatedAt\":\"{Iso(60)}\"}},{{\"id\":\"g2\",\"updatedAt\":\"{Iso(60)}\"}}]");
        await device.Push(
            $"\"goals\":[{{\"id\":\"g1\",\"deleted_at\":\"{Iso(1)}\"}},{{\"id\":\"g2\",\"deletedAt\":{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}}}]");

        Assert.Empty((await device.Pull()).List("goals"));
    }

    [Fact]
    public async Task A_batch_counts_what_it_stored_and_a_null_item_does_not_fail_the_others() // 11
    {
        var device = Device("d");
        var answer = await device.Ask(HttpMethod.Post, "/api/sync/batch", $$"""
            {"entities":[{"type":"goal","id":"g1","data":{"id":"g1","updatedAt":1},"checksum":"","version":1},
                         null,
                         {"type":"goal","id":"g1","data":{"id":"g1","updatedAt":1},"checksum":"","version":1},
                         {"type":"sketch","id":"s1","data":{"x":1},"checksum":"{{new string('0', 64)}}","version":1},
                         {"type":"goal","id":"g2","data":{"id":"g2","updatedAt":1},"checksum":"","version":1}]}
            """);

        Assert.Equal(2, answer.GetProperty("uploaded").GetInt32());
        Assert.Equal(2, answer.List("conflicts").Count);
        Assert.Contains(answer.List("conflicts"), c => c.Text("reason") == "checksum_mismatch");
        Assert.Equal(["g1", "g2"], (await device.Pull()).List("goals").Select(g => g.Text("id")).Order());
    }

    [Fact]
    public async Task More_than_a_page_written_in_one_millisecond_is_neither_skipped_nor_repeated() // 14
    {
        var device = Device("d");
        var start = (await device.Pull()).Text("syncToken");
        await device.Push(
            $"\"goals\":[{string.Join(',', Enumerable.Range(0, 1_201).Select(i => $"{{\"id\":\"g{i}\",\"n\":{i},\"updatedAt\":1}}"))}]");

        var seen = new List<string?>();
        var token = start;
        for (var more = true; more;)
        {
            var page = await device.Pull(token, limit: 100);
            seen.AddRange(page.List("goals").Select(g => g.Text("id")));
            (token, more) = (page.Text("syncToken"), page.GetProperty("hasMore").GetBoolean());
        }

        Assert.Equal(1_201, seen.Count);
        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Equal(1_201, (await device.Pull()).List("goals").Count);
        Assert.Equal(1_201, (await device.Pull(start)).List("goals").Count);
    }

    [Fact]
    public async Task A_delete_before_a_late_create_keeps_it_deleted() // 16
    {
        var device = Device("d");
        await device.PushEntry($"{{\"id\":\"e\",\"deletedAt\":\"{Iso(10)}\"}}");
        var late = await Device("late").PushEntry(Entry("e", "late", 60));

        Assert.Equal("deleted", late.Only("conflicts").Text("reason"));
        Assert.Empty((await device.Pull()).List("entries"));
    }

    [Fact]
    public async Task An_edit_from_a_clock_a_year_ahead_does_not_block_later_edits() // 17
    {
        var (fast, right) = (Device("fast"), Device("right"));
        await fast.PushEntry($"{{\"id\":\"e\",\"notes\":\"fast\",\"updatedAt\":\"{Iso(-365 * 86_400)}\"}}");
        await Task.Yield();
        var edit = await right.PushEntry(Entry("e", "right", secondsAgo: -1));

        Assert.Empty(edit.List("conflicts"));
        var stored = (await fast.Pull()).Only("entries");
        Assert.Equal("right", stored.Text("notes"));
        Assert.True(stored.GetProperty("updatedAt").GetDateTimeOffset() > DateTimeOffset.UtcNow.AddDays(364));
    }

    [Fact]
    public async Task Nothing_of_one_user_reaches_another_by_any_parameter() // 18
    {
        var (mine, theirs) = (Device("d"), Device("d", "other-" + user));
        await mine.PushEntry(Entry("secret", "mine", 60));
        await mine.PushEntry(Entry("secret", "older", 90));
        var token = (await mine.Pull()).Text("syncToken");
        var conflict = (await mine.Get("/api/sync/conflicts")).Only("conflicts").Text("id");

        var reset = await theirs.Pull(token);
        Assert.True(reset.GetProperty("reset").GetBoolean());
        Assert.Empty(reset.List("entries"));
        Assert.Equal(404, (int)await theirs.FindStatus(HttpMethod.Post, $"/api/sync/conflicts/{conflict}/restore"));
        Assert.Equal(404, (int)await theirs.FindStatus(HttpMethod.Delete, $"/api/sync/conflicts/{conflict}"));
        await theirs.PushEntry(
            $"{{\"id\":\"secret\",\"user_id\":\"{user}\",\"userId\":\"{user}\",\"notes\":\"theirs\",\"updatedAt\":\"{Iso(0)}\"}}");
        await theirs.Push($"\"preferences\":{{\"id\":\"{user}\",\"theme\":\"dark\"}}");
        await theirs.Ask(HttpMethod.Get, $"/api/sync/pull?userId={user}&user_id={user}&sub={user}");

        var own = await mine.Pull();
        Assert.Equal("mine", own.Only("entries").Text("notes"));
        Assert.Equal(JsonValueKind.Null, own.GetProperty("preferences").ValueKind);
        Assert.Equal("other-" + user, (await theirs.Pull()).Only("entries").Text("user_id"));
    }

    [Fact]
    public async Task Documents_of_existing_clients_are_accepted_and_keep_every_member() // 19, 20
    {
        const string Lone = "\"lone\":\"\\ud800\"";
        var device = Device("d");
        const string sent = """
            {"entries":[{"id":"e1","timestamp":1757400000000,"duration":45,"type":"masterclass","instrument":"piano","mood":"proud",
                "pieces":[{"id":"clair de lune-debussy","title":"Clair de lune","composer":null,"tempo":60}],"goal_ids":["g1"],"goalIds":["g1"],
                "metrics":{"bpm":{"from":60,"to":72.5}},"notes":null,"future":{"of":["anything",1e21,-0.5,"é 🎹 \u0000"],"lone":"\ud800"},
                "createdAt":"2026-01-01T10:00:00+02:00","created_at":"2026-01-01T10:00:00+02:00"}],
             "goals":[{"id":"g1","title":"Chaconne","status":"paused","targetDate":"2026-12-31","progress":0.35,"milestones":[{"id":"m1","completed":false}],"practicePlan":{"a":[[]]}}],
             "practicePlans":[{"id":"p1","startDate":"2026-03-01","unknown":true}],
             "repertoire":[{"scoreId":"a-b","score_id":"a-b","status":"working","personalNotes":"x","referenceLinks":["l"]}]}
            """;
        var answer = await device.Ask(HttpMethod.Post, "/api/sync/push", $"{{\"changes\":{sent}}}");
        Assert.Empty(answer.List("conflicts"));

        // A lone surrogate is text to ECMAScript and to the store, but not to the library that compares here.
        var answered = (await device.Pull()).GetRawText();
        Assert.Contains(Lone, answered, StringComparison.Ordinal);
        var pulled = JsonNode.Parse(answered.Replace(Lone, "\"lone\":1", StringComparison.Ordinal))!;
        var wanted = JsonNode.Parse(sent.Replace(Lone, "\"lone\":1", StringComparison.Ordinal))!.AsObject();
        foreach (var (member, items) in wanted)
        {
            var got = pulled[member]![0]!.AsObject();
            foreach (var (name, value) in items![0]!.AsObject())
                Assert.True(
                    JsonNode.DeepEquals(value, got[name]),
                    $"{member}.{name} went in as {value?.ToJsonString()} and came out as {got[name]?.ToJsonString()}");
        }
    }

    [Fact]
    public async Task One_invalid_item_does_not_fail_the_others() // 20
    {
        var device = Device("d");
        var answer = await device.Push(
            $"\"entries\":[{Entry("good", "x")},7,{{\"notes\":\"no id\"}},"
                + $"{{\"id\":\"twice\",\"a\":1,\"a\":2}},{{\"id\":\"big\",\"n\":1e999}}],\"surprise\":[1]");

        Assert.Equal(
            ["duplicate_keys", "invalid", "invalid", "number_out_of_range", "unknown_type"],
            answer.List("conflicts").Select(c => c.Text("reason")).Order());
        Assert.Equal("good", (await device.Pull()).Only("entries").Text("id"));
    }

    [Fact]
    public async Task Erasing_leaves_tombstones_in_a_new_epoch_and_the_user_goes_on()
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        await laptop.PushEntry(Entry("e", "x", 60));
        var token = (await phone.Pull()).Text("syncToken");
        Assert.Equal(400, (int)await laptop.FindStatus(HttpMethod.Delete, "/api/sync/data"));
        using var erased = await laptop.Send(HttpMethod.Delete, "/api/sync/data", null, null, ("Confirm", "erase"));
        Assert.True(erased.IsSuccessStatusCode);

        var after = await phone.Pull(token);
        Assert.True(after.GetProperty("reset").GetBoolean());
        Assert.Empty(after.List("entries"));
        Assert.Equal("deleted", (await phone.PushEntry(Entry("e", "x", 60))).Only("conflicts").Text("reason"));
        Assert.Equal("created", (await phone.PushEntry(Entry("new", "x"))).Only("results").Text("status"));
    }
}
