using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text.Json;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

public sealed class PullTests
{
    private static List<string> Ids(JsonElement pull, string member) =>
        [.. pull.GetProperty(member).EnumerateArray().Select(item => item.GetProperty("id").GetString()!)];

    private static async Task<JsonElement> Pull(Edge edge, string question = "")
    {
        var response = await edge.Get($"/api/sync/pull?{question}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Json();
    }

    [Fact]
    public async Task An_answer_has_every_member_in_its_place()
    {
        await using var edge = await Edge.Start();
        var user = edge.Engine.For("ada");
        user.Put("logbook_entry", "e");
        user.Put("goal", "g");
        user.Put("repertoire_item", "r");
        user.Put("practice_plan", "p");
        user.Put("plan_occurrence", "o");
        user.Put("plan_template", "t");
        user.Put("user_preferences", "ada");
        user.Put("zebra", "z");
        user.Put("annotation", "a");
        user.Delete("goal", "gone");
        var pull = await Pull(edge);

        Assert.Equal(
            [
                "entries", "goals", "repertoire", "practicePlans", "planOccurrences", "planTemplates", "preferences", "other", "syncToken",
                "lastSeq", "timestamp", "digest", "schemaVersion", "hasMore",
            ],
            pull.EnumerateObject().Select(member => member.Name));
        Assert.Equal(["e"], Ids(pull, "entries"));
        Assert.Equal(["g"], Ids(pull, "goals"));
        Assert.Equal("ada", pull.GetProperty("preferences").GetProperty("id").GetString());
        Assert.Equal(["annotation", "zebra"], pull.GetProperty("other").EnumerateObject().Select(type => type.Name));
        Assert.Equal(10, pull.GetProperty("lastSeq").GetInt64());
        Assert.EndsWith(".10", pull.GetProperty("syncToken").GetString(), StringComparison.Ordinal);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", pull.GetProperty("timestamp").GetString());
        Assert.Equal("0000000000000000000000000000000a", pull.GetProperty("digest").GetString());
    }

    [Fact]
    public async Task With_a_token_only_what_changed_comes_and_what_was_deleted()
    {
        await using var edge = await Edge.Start();
        var user = edge.Engine.For("ada");
        user.Put("goal", "old");
        var token = (await Pull(edge)).GetProperty("syncToken").GetString();
        user.Put("goal", "new");
        user.Delete("logbook_entry", "gone");
        var pull = await Pull(edge, $"since={token}");

        Assert.Equal(["new"], Ids(pull, "goals"));
        var deleted = Assert.Single(pull.GetProperty("deleted").EnumerateArray());
        Assert.Equal(["entityType", "entityId", "deletedAt", "seq"], deleted.EnumerateObject().Select(member => member.Name));
        Assert.Equal("gone", deleted.GetProperty("entityId").GetString());
        Assert.False(pull.TryGetProperty("reset", out _));
    }

    [Theory]
    [InlineData("00000000000000000000000000000000.0")]
    [InlineData("any-string")]
    [InlineData("AHEAD")]
    public async Task A_token_that_does_not_fit_starts_the_client_over(string token)
    {
        await using var edge = await Edge.Start();
        edge.Engine.For("ada").Put("goal", "g");
        edge.Engine.For("ada").Delete("goal", "gone");
        var own = (await Pull(edge)).GetProperty("syncToken").GetString()!;
        var pull = await Pull(edge, $"since={token.Replace("AHEAD", own.Split('.')[0] + ".99999", StringComparison.Ordinal)}");
        Assert.True(pull.GetProperty("reset").GetBoolean());
        Assert.Equal(["g"], Ids(pull, "goals"));
        Assert.False(pull.TryGetProperty("deleted", out _));
    }

    [Fact]
    public async Task An_ETag_answers_304_on_both_verbs_until_something_changes()
    {
        await using var edge = await Edge.Start();
        edge.Engine.For("ada").Put("goal", "g");
        var first = await edge.Post("/api/sync/pull");
        var tag = first.Headers.ETag!.ToString();
        Assert.StartsWith("W/", tag, StringComparison.Ordinal);
        Assert.Equal("no-cache, private", first.Headers.CacheControl!.ToString());
        Assert.Equal(["Accept-Encoding", "Authorization", "Origin"], first.Headers.Vary.Order());

        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            var same = await edge.Send(method, "/api/sync/pull", null, ("If-None-Match", $"\"other\", {tag}"));
            Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
            Assert.Equal(tag, same.Headers.ETag!.ToString());
        }

        Assert.Equal(HttpStatusCode.OK, (await edge.Get("/api/sync/pull?limit=5", ("If-None-Match", tag))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await edge.Get("/api/sync/pull?types=goal", ("If-None-Match", tag))).StatusCode);
        edge.Engine.For("ada").Put("goal", "h");
        Assert.Equal(HttpStatusCode.OK, (await edge.Get("/api/sync/pull", ("If-None-Match", tag))).StatusCode);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(501)]
    public async Task Limited_pages_add_up_to_the_whole_in_the_order_of_revisions(int limit)
    {
        await using var edge = await Edge.Start();
        var user = edge.Engine.For("ada");
        var count = Math.Min(limit * 3 + 2, 1200);
        for (var i = 0; i < count; i++) user.Put(i % 2 == 0 ? "goal" : "logbook_entry", i.ToString("d5", CultureInfo.InvariantCulture));
        var got = new List<string>();
        var since = "";
        while (true)
        {
            var pull = await Pull(edge, $"limit={limit}&since={since}");
            var page = Ids(pull, "goals").Concat(Ids(pull, "entries")).ToList();
            Assert.True(page.Count <= limit);
            got.AddRange(page);
            since = pull.GetProperty("syncToken").GetString()!;
            Assert.EndsWith($".{pull.GetProperty("lastSeq").GetInt64()}", since, StringComparison.Ordinal);
            if (!pull.GetProperty("hasMore").GetBoolean()) break;
            Assert.Equal(limit, page.Count);
            Assert.False(pull.TryGetProperty("digest", out _));
        }

        Assert.Equal(count, got.Distinct().Count());
        Assert.Equal(count, got.Count);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(Mirubato.Gateway.Rest.Pull.HeldRowsMax)]
    [InlineData(Mirubato.Gateway.Rest.Pull.HeldRowsMax + 1)]
    [InlineData(5_000)]
    public async Task A_large_answer_is_the_same_whether_held_or_streamed(int count)
    {
        await using var edge = await Edge.Start();
        var user = edge.Engine.For("ada");
        user.Put("goal", "before");
        var since = (await Pull(edge)).GetProperty("syncToken").GetString();
        string[] types = ["goal", "logbook_entry", "own_a", "own_b"];
        for (var i = 0; i < count - 3; i++) user.Put(types[i % 4], i.ToString("d5", CultureInfo.InvariantCulture));
        user.Put("user_preferences", "ada");
        user.Delete("goal", "gone");
        user.Delete("own_a", "gone too");

        foreach (var question in (string[])["", $"since={since}"])
        {
            var pull = await Pull(edge, question);
            var rows = Ids(pull, "goals")
                .Count + Ids(pull, "entries")
                .Count + pull.GetProperty("other")
                .EnumerateObject()
                .Sum(type => type.Value.GetArrayLength());
            Assert.Equal(question.Length == 0 ? count - 2 : count - 3, rows);
            Assert.Equal(["own_a", "own_b"], pull.GetProperty("other").EnumerateObject().Select(type => type.Name));
            Assert.Equal("ada", pull.GetProperty("preferences").GetProperty("id").GetString());
            Assert.Equal(count + 1, pull.GetProperty("lastSeq").GetInt64());
            Assert.True(pull.TryGetProperty("digest", out _));
            Assert.Equal(question.Length > 0, pull.TryGetProperty("deleted", out var deleted));
            if (question.Length > 0) Assert.Equal(2, deleted.GetArrayLength());
        }
    }

    [Fact]
    public async Task What_moves_while_a_large_answer_is_read_comes_once_and_again_with_the_next_token()
    {
        await using var edge = await Edge.Start();
        var user = edge.Engine.For("ada");
        for (var i = 0; i < 1_200; i++) user.Put("goal", i.ToString("d5", CultureInfo.InvariantCulture));
        var reads = 0;
        user.BeforeRead = () =>
        {
            if (++reads == 2) user.Put("goal", "00001");
        };
        var pull = await Pull(edge);
        user.BeforeRead = null;

        Assert.Equal(1_200, Ids(pull, "goals").Distinct().Count());
        Assert.Equal(1_200, Ids(pull, "goals").Count);
        Assert.Equal(1_200, pull.GetProperty("lastSeq").GetInt64());
        Assert.False(pull.TryGetProperty("digest", out _));
        Assert.Equal(["00001"], Ids(await Pull(edge, $"since={pull.GetProperty("syncToken").GetString()}"), "goals"));
    }

    [Fact]
    public async Task A_limited_answer_keeps_to_the_moment_it_began()
    {
        await using var edge = await Edge.Start();
        var user = edge.Engine.For("ada");
        for (var i = 0; i < 700; i++) user.Put("goal", i.ToString("d5", CultureInfo.InvariantCulture));
        var reads = 0;
        user.BeforeRead = () =>
        {
            if (++reads == 2) user.Put("goal", "00600");
        };
        var pull = await Pull(edge, "limit=10000");
        user.BeforeRead = null;

        Assert.Equal(699, Ids(pull, "goals").Count);
        Assert.Equal(700, pull.GetProperty("lastSeq").GetInt64());
        Assert.Equal(["00600"], Ids(await Pull(edge, $"since={pull.GetProperty("syncToken").GetString()}"), "goals"));
    }

    [Fact]
    public async Task Types_are_asked_for_by_either_verb()
    {
        await using var edge = await Edge.Start();
        var user = edge.Engine.For("ada");
        foreach (var type in (string[])["goal", "logbook_entry", "own_a", "own_b"]) user.Put(type, type);
        foreach (var pull in (JsonElement[])[
            await Pull(edge, "types=goal&types=own_b"),
            await Pull(edge, "types=own_b,goal"),
            await (await edge.Post("/api/sync/pull", """{"types":["own_b","goal"]}""")).Json()])
        {
            Assert.Equal(["goal"], Ids(pull, "goals"));
            Assert.Empty(Ids(pull, "entries"));
            Assert.Equal(["own_b"], pull.GetProperty("other").EnumerateObject().Select(type => type.Name));
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_large_answer_is_packed_for_who_asks_and_a_tiny_one_is_not(string encoding)
    {
        await using var edge = await Edge.Start();
        var tiny = await edge.Get("/api/sync/pull", ("Accept-Encoding", encoding));
        Assert.Empty(tiny.Content.Headers.ContentEncoding);
        for (var i = 0; i < 400; i++)
        {
            edge.Engine.For("ada").Put(
                "goal", i.ToString(CultureInfo.InvariantCulture), $$"""{"id":"{{i}}","notes":"{{new string('n', 100)}}"}""");
        }
        var response = await edge.Get("/api/sync/pull", ("Accept-Encoding", encoding));

        Assert.Equal([encoding], response.Content.Headers.ContentEncoding);
        Assert.Contains("Accept-Encoding", response.Headers.Vary);
        var body = await response.Content.ReadAsStreamAsync();
        using var document = await JsonDocument.ParseAsync(
            encoding == "gzip" ? new GZipStream(body, CompressionMode.Decompress) : new BrotliStream(body, CompressionMode.Decompress));
        Assert.Equal(400, document.RootElement.GetProperty("goals").GetArrayLength());
    }

    [Theory]
    [InlineData(5)] // The first page that is streamed,
    [InlineData(8)] // and one further on.
    public async Task A_failure_in_the_middle_of_an_answer_cannot_be_taken_for_its_end(int read)
    {
        await using var edge = await Edge.Start();
        var user = edge.Engine.For("ada");
        for (var i = 0; i < 5_000; i++)
        {
            user.Put("goal", i.ToString(CultureInfo.InvariantCulture), $$"""{"id":"{{i}}","notes":"{{new string('n', 1000)}}"}""");
        }
        var reads = 0;
        user.BeforeRead = () =>
        {
            if (++reads == read) throw new StoreUnavailableException("unreachable", false);
        };
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => edge.Get("/api/sync/pull"));
        Assert.Equal(read, reads);
    }

    [Fact]
    public async Task An_export_holds_everything_and_says_where_it_ends()
    {
        await using var edge = await Edge.Start();
        var user = edge.Engine.For("ada");
        for (var i = 0; i < 1_001; i++) user.Put("goal", i.ToString(CultureInfo.InvariantCulture));
        user.Delete("logbook_entry", "gone");
        var response = await edge.Get("/api/sync/export");
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType!.MediaType);
        var lines = (await response.Content.ReadAsStringAsync())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        Assert.Equal(1_003, lines.Count);
        Assert.Equal(1_001, lines.Count(line => line.GetProperty("kind").GetString() == "entity" && line.TryGetProperty("data", out _)));
        Assert.Equal(1, lines.Count(line => line.GetProperty("kind").GetString() == "tombstone"));
        Assert.Equal("end", lines[^1].GetProperty("kind").GetString());
    }
}
