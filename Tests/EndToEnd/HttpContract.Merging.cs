using System.Net;
using System.Text.Json;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.EndToEnd;

public abstract partial class HttpContract
{
    [Fact]
    public async Task Two_people_edit_different_fields_and_both_edits_survive()
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        var token = await Start(laptop, "\"notes\":\"n\",\"duration\":1");
        await PushOn(laptop, token, "\"notes\":\"laptop\",\"duration\":1");

        var answer = await PushOn(phone, token, "\"notes\":\"n\",\"duration\":2");

        var result = answer.Only("results");
        Assert.Equal("merged", result.Text("status"));
        var document = result.GetProperty("document");
        Assert.Equal(("laptop", 2), (document.Text("notes"), document.GetProperty("duration").GetInt32()));
        Assert.False(result.TryGetProperty("members", out _));
        Assert.Equal(1, answer.GetProperty("stats").GetProperty("entriesProcessed").GetInt32());
        Assert.Empty(answer.List("conflicts"));
        Assert.Equal("laptop", (await laptop.Pull()).Only("entries").Text("notes"));
        Assert.Empty((await laptop.Get("/api/sync/conflicts")).List("conflicts"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("0")]
    [InlineData("true")]
    public async Task Without_the_header_a_whole_document_wins_as_ever(string? header)
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        var token = await Start(laptop, "\"notes\":\"n\",\"duration\":1");
        await PushOn(laptop, token, "\"notes\":\"laptop\",\"duration\":1");
        var answer = await PushOn(phone, token, "\"notes\":\"n\",\"duration\":2", secondsAgo: 60, merge: header);
        Assert.Equal("stale", answer.Only("conflicts").Text("reason"));
    }

    [Fact]
    public async Task A_contested_field_is_named_and_the_loser_can_be_brought_back_by_itself()
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        var token = await Start(laptop, "\"notes\":\"n\",\"duration\":1");
        await PushOn(laptop, token, "\"notes\":\"laptop\",\"duration\":1");
        var result = (await PushOn(phone, token, "\"notes\":\"phone\",\"duration\":2", secondsAgo: 60)).Only("results");
        Assert.Equal(("merged", "/notes"), (result.Text("status"), result.Only("members").GetString()));

        var lost = await PushOn(phone, token, "\"notes\":\"other\",\"duration\":1", secondsAgo: 60);
        Assert.Equal(("stale", "/notes"), (lost.Only("conflicts").Text("reason"), lost.Only("conflicts").Only("members").GetString()));

        var rows = (await laptop.Get("/api/sync/conflicts")).List("conflicts");
        Assert.All(rows, row => Assert.Equal("/notes", row.Only("members").GetString()));
        var kept = Assert.Single(rows, row => row.GetProperty("document").Text("notes") == "phone");
        await phone.Ask(HttpMethod.Post, $"/api/sync/conflicts/{kept.Text("id")}/restore");
        var entry = (await laptop.Pull()).Only("entries");
        Assert.Equal(("phone", 2), (entry.Text("notes"), entry.GetProperty("duration").GetInt32()));
    }

    [Fact]
    public async Task A_batch_merges_counts_it_as_uploaded_and_fails_if_strict()
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        var token = await Start(laptop, "\"notes\":\"n\",\"duration\":1");
        await PushOn(laptop, token, "\"notes\":\"laptop\",\"duration\":1");
        var body = $"{{\"syncToken\":\"{token}\",\"entities\":[{{\"type\":\"logbook_entry\",\"id\":\"e\",\"baseVersion\":1,"
            + $"\"data\":{Document("\"notes\":\"phone\",\"duration\":2", 60)}}}]}}";

        using var strict = await phone.Send(
            HttpMethod.Post, "/api/sync/batch", body, null, ("X-Sync-Merge", "1"), ("Prefer", "handling=strict"));
        Assert.Equal(HttpStatusCode.Conflict, strict.StatusCode);
        using var merged = await phone.Send(HttpMethod.Post, "/api/sync/batch", body, null, ("X-Sync-Merge", "1"));
        var answer = await merged.Json();
        Assert.Equal(1, answer.GetProperty("uploaded").GetInt32());
        Assert.Equal("merged", answer.Only("results").Text("status"));
    }

    [Fact]
    public async Task The_history_of_an_entity_is_listed_and_a_version_comes_back_after_a_delete()
    {
        var (laptop, phone) = (Device("laptop"), Device("phone/1"));
        await laptop.PushEntry(Entry("a/b ü", "one", secondsAgo: 30));
        await phone.PushEntry(Entry("a/b ü", "two", secondsAgo: 20));
        await phone.PushEntry($"{{\"id\":\"a/b ü\",\"deletedAt\":\"{Iso(0)}\"}}");
        var path = $"/api/sync/history/logbook_entry/{Uri.EscapeDataString("a/b ü")}";

        var history = await laptop.Get(path);
        Assert.Equal("a/b ü", history.Text("entityId"));
        var versions = history.List("versions");
        Assert.Equal([3, 2, 1], versions.Select(v => v.GetProperty("version").GetInt32()));
        Assert.Equal([true, false, false], versions.Select(v => v.GetProperty("current").GetBoolean()));
        Assert.Equal([true, false, false], versions.Select(v => v.GetProperty("deleted").GetBoolean()));
        Assert.Equal(["phone/1", "phone/1", "laptop"], versions.Select(v => v.Text("deviceId")));
        Assert.Equal("two", versions[1].GetProperty("document").Text("notes"));
        Assert.False(versions[0].TryGetProperty("document", out _));

        var first = await laptop.Get($"{path}?limit=2");
        Assert.True(first.GetProperty("hasMore").GetBoolean());
        var rest = await laptop.Get($"{path}?limit=2&after={first.Text("next")}");
        Assert.Equal("one", rest.Only("versions").GetProperty("document").Text("notes"));
        Assert.False(rest.GetProperty("hasMore").GetBoolean());

        Assert.Equal("created", (await laptop.Ask(HttpMethod.Post, $"{path}/1/restore")).Only("results").Text("status"));
        Assert.Equal("one", (await phone.Pull()).Only("entries").Text("notes"));
    }

    [Theory]
    [InlineData("GET", "/api/sync/history/logbook_entry/none", 404)]
    [InlineData("GET", "/api/sync/history/No Type/e", 404)]
    [InlineData("GET", "/api/sync/history/logbook_entry/e?limit=101", 400)]
    [InlineData("GET", "/api/sync/history/logbook_entry/e?after=x", 400)]
    [InlineData("POST", "/api/sync/history/logbook_entry/e/9/restore", 404)]
    [InlineData("POST", "/api/sync/history/logbook_entry/e/x/restore", 404)]
    public async Task What_is_not_in_the_history_is_not_found(string method, string path, int status)
    {
        var device = Device("d");
        await device.PushEntry(Entry("e", "one"));
        Assert.Equal(status, (int)await device.FindStatus(new HttpMethod(method), path));
    }

    [Fact]
    public async Task A_rewind_plans_does_and_says_what_it_did_and_an_export_holds_the_versions()
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        await laptop.PushEntry(Entry("e1", "one", secondsAgo: 30));
        var history = await laptop.Get("/api/sync/history/logbook_entry/e1");
        var to = history.Only("versions").Text("arrivedAt");
        await Task.Yield();
        while (DateTimeOffset.UtcNow <= DateTimeOffset.Parse(to!, System.Globalization.CultureInfo.InvariantCulture)) await Task.Yield();
        await phone.Push($"\"entries\":[{Entry("e1", "two")},{Entry("e2", "new")}]");

        var plan = $"{{\"to\":\"{to}\",\"dryRun\":true,\"types\":[\"logbook_entry\"]}}";
        var dry = await laptop.Ask(HttpMethod.Post, "/api/sync/rewind", plan);
        Assert.Equal(["e1 changed", "e2 deleted"], Actions(dry));
        Assert.Equal(2, (await laptop.Pull()).List("entries").Count);

        var done = await laptop.Ask(HttpMethod.Post, "/api/sync/rewind", $"{{\"to\":\"{to}\",\"device\":\"phone\"}}");
        Assert.Equal(["e1 changed", "e2 deleted"], Actions(done));
        Assert.Equal(to, done.Text("to"));
        Assert.False(done.GetProperty("allOrNothing").GetBoolean() || done.GetProperty("hasMore").GetBoolean());
        Assert.Equal("one", (await phone.Pull()).Only("entries").Text("notes"));
        Assert.Empty(Actions(await laptop.Ask(HttpMethod.Post, "/api/sync/rewind", $"{{\"to\":\"{to}\"}}")));

        using var export = await laptop.Send(HttpMethod.Get, "/api/sync/export");
        var lines = (await export.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(3, lines.Count(line => line.Text("kind") == "version"));
        var version = lines.First(line => line.Text("kind") == "version");
        Assert.Equal(("e1", "one", to), (version.Text("entityId"), version.GetProperty("data").Text("notes"), version.Text("arrivedAt")));
        Assert.Equal("end", lines[^1].Text("kind"));
    }

    [Theory]
    [InlineData("{}", "$.to")]
    [InlineData("{\"to\":\"soon\"}", "$.to")]
    [InlineData("{\"to\":1,\"device\":\"\"}", "$.device")]
    [InlineData("{\"to\":1,\"dryRun\":1}", "$.dryRun")]
    [InlineData("{\"to\":1,\"types\":[\"No\"]}", "$.types[0]")]
    [InlineData("{\"to\":1,\"after\":\"x\"}", "$.after")]
    public async Task A_rewind_that_is_not_as_documented_is_refused_with_its_place(string body, string path)
    {
        using var answer = await Device("d").Send(HttpMethod.Post, "/api/sync/rewind", body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(path, (await answer.Json()).Text("path"));
    }

    private static IEnumerable<string> Actions(JsonElement answer) =>
        answer.List("items").Select(item => $"{item.Text("entityId")} {item.Text("action")}").Order(StringComparer.Ordinal);

    /// <summary>An entry at version 1, and a token of its epoch.</summary>
    private static async Task<string> Start(HttpDevice device, string members)
    {
        await device.Push($"\"entries\":[{Document(members, 120)}]");
        return (await device.Pull()).Text("syncToken")!;
    }

    private static string Document(string members, int secondsAgo) => $"{{\"id\":\"e\",{members},\"updatedAt\":\"{Iso(secondsAgo)}\"}}";

    /// <summary>An edit of version 1.</summary>
    private static async Task<JsonElement> PushOn(HttpDevice device, string token, string members, int secondsAgo = 0, string? merge = "1")
    {
        var entry = Document($"\"baseVersion\":1,{members}", secondsAgo);
        var body = $"{{\"changes\":{{\"entries\":[{entry}]}},\"lastSyncToken\":\"{token}\"}}";
        (string, string)[] headers = merge is null ? [] : [("X-Sync-Merge", merge)];
        using var answer = await device.Send(HttpMethod.Post, "/api/sync/push", body, null, headers);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Json();
    }
}
