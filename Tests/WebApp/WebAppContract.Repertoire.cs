using System.Net;
using System.Text.Json;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.WebApp;

public abstract partial class WebAppContract
{
    private const string Clair = "/api/repertoire/Clair%20de%20Lune%20-%20Debussy";

    [Fact]
    public async Task A_piece_is_added_once_under_any_spelling_and_the_other_device_has_it()
    {
        await Entries(Entry("e", 30, "2026-03-01T10:00:00Z", "\"scoreId\":\"clair de lune-debussy\""));
        using var response = await Web.Send(
            HttpMethod.Post, "/api/repertoire",
            """{"scoreId":" Clair de Lune - Debussy","difficultyRating":4,"personalNotes":"slow","tempo":66}""");

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var item = await response.Json();
        Assert.Equal("clair de lune-debussy", item.Text("scoreId"));
        Assert.Equal(("planned", "slow"), (item.Text("status"), item.Text("personalNotes")));
        Assert.Equal((1, 30), (item.GetProperty("practiceCount").GetInt32(), item.GetProperty("totalPracticeTime").GetInt32()));
        Assert.Empty(item.List("referenceLinks"));
        Assert.InRange(
            item.GetProperty("createdAt").GetInt64(), DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds(),
            DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        var received = (await Pulled()).Only("repertoire");
        Assert.Equal("clair de lune-debussy", received.Text("score_id"));
        Assert.Equal(66, received.GetProperty("tempo").GetInt32());
        using var twice = await Web.Send(HttpMethod.Post, "/api/repertoire", """{"scoreId":"CLAIR DE LUNE-Debussy"}""");
        await twice.Problem(409, "ALREADY_EXISTS");
    }

    [Fact]
    public async Task Adding_one_piece_at_once_from_two_devices_adds_it_once()
    {
        var statuses = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(
                i => (i % 2 == 0 ? Web : Phone).FindStatus(HttpMethod.Post, "/api/repertoire", """{"scoreId":"a-b"}""")));

        Assert.Single(statuses, HttpStatusCode.Created);
        Assert.Equal(7, statuses.Count(status => status is HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task A_repeated_addition_under_a_key_is_answered_as_the_first_was_also_by_another_process_life()
    {
        var setting = await store.Storage("restarted");
        for (var life = 0; life < 2; life++)
        {
            await using var one = await LiveServer.Start(setting);
            using var device = one.Device(user, "d");
            using var response = await device.Send(HttpMethod.Post, "/api/repertoire", """{"scoreId":"key-ed"}""", "k");
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
            Assert.Equal(life == 1, response.Headers.Contains("X-Idempotent-Replay"));
            Assert.Equal(
                HttpStatusCode.Conflict,
                await device.FindStatus(HttpMethod.Post, "/api/repertoire", """{"scoreId":"key-ed"}""", $"other{life}"));
        }
    }

    [Fact]
    public async Task The_list_is_newest_first_with_what_the_entries_add_up_to()
    {
        await Phone.Push($$"""
            "repertoire":[{"scoreId":"old-one","status":"polished","createdAt":"2020-01-01T00:00:00Z","updatedAt":"{{Iso(60)}}","referenceLinks":null}]
            """);
        await Post("/api/repertoire", """{"scoreId":"new-one","status":"working","referenceLinks":["https://example.org"]}""");
        await Entries(
            Entry("1", 20, "2026-03-01T10:00:00Z", "\"scoreId\":\"Old-One\""),
            Entry("2", 25, "2026-03-02T10:00:00+02:00", "\"score_id\":\"old-one\""),
            Entry("3", 40, "2026-03-03T10:00:00Z", "\"scoreId\":\"other-one\""));

        var items = (await Web.Get("/api/repertoire")).List("items");

        Assert.Equal(["new-one", "old-one"], items.Select(item => item.Text("scoreId")));
        Assert.Equal([0, 2], items.Select(item => item.GetProperty("practiceCount").GetInt32()));
        Assert.Equal(45, items[1].GetProperty("totalPracticeTime").GetDouble());
        Assert.Equal(
            DateTimeOffset.Parse("2026-03-02T08:00:00Z").ToUnixTimeMilliseconds(), items[1].GetProperty("lastPracticed").GetInt64());
        Assert.Equal(DateTimeOffset.Parse("2020-01-01T00:00:00Z").ToUnixTimeMilliseconds(), items[1].GetProperty("createdAt").GetInt64());
        Assert.Empty(items[1].List("referenceLinks"));
        Assert.False(items[0].TryGetProperty("lastPracticed", out _));
        Assert.Equal("https://example.org", Assert.Single(items[0].List("referenceLinks")).GetString());
    }

    [Fact]
    public async Task Changing_a_piece_keeps_the_members_that_are_not_sent()
    {
        await Post("/api/repertoire", """{"scoreId":"clair de lune-debussy","personalNotes":"slow","tempo":66}""");
        var since = await Now();

        Assert.NotEmpty(
            (await Put(Clair, """{"status":"performance_ready","scoreId":"another-one","deletedAt":"2026-01-01"}""")).Text("message")!);

        var received = (await Pulled(since)).Only("repertoire");
        Assert.Equal(("performance_ready", "slow"), (received.Text("status"), received.Text("personalNotes")));
        Assert.Equal((66, "clair de lune-debussy"), (received.GetProperty("tempo").GetInt32(), received.Text("scoreId")));
        using var absent = await Web.Send(HttpMethod.Put, "/api/repertoire/no-such", """{"status":"dropped"}""");
        await absent.Problem(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_partial_change_does_not_undo_what_another_device_pushes_in_between()
    {
        await Post("/api/repertoire", """{"scoreId":"a-b"}""");
        await Task.WhenAll(
            Enumerable.Range(0, 10).Select(
                i => (i % 2 == 0 ? Web : Phone).Ask(HttpMethod.Put, "/api/repertoire/A-B", $"{{\"own{i}\":true}}")));

        var stored = (await Pulled()).Only("repertoire");
        Assert.All(Enumerable.Range(0, 10), i => Assert.True(stored.GetProperty($"own{i}").GetBoolean()));
    }

    [Fact]
    public async Task A_removed_piece_is_gone_everywhere_and_can_be_added_again()
    {
        await Post("/api/repertoire", """{"scoreId":"clair de lune-debussy"}""");
        var since = await Now();

        using var response = await Web.Send(HttpMethod.Delete, Clair, key: "k");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);

        Assert.Equal("clair de lune-debussy", (await Pulled(since)).Only("deleted").Text("entityId"));
        Assert.Equal(HttpStatusCode.OK, await Web.FindStatus(HttpMethod.Delete, Clair, key: "k"));
        Assert.Equal(HttpStatusCode.NotFound, await Web.FindStatus(HttpMethod.Delete, Clair));
        Assert.Equal(HttpStatusCode.NotFound, await Web.FindStatus(HttpMethod.Delete, Clair, key: "other"));
        Assert.Equal(
            HttpStatusCode.Created, await Web.FindStatus(HttpMethod.Post, "/api/repertoire", """{"scoreId":"Clair de Lune-Debussy"}"""));
        Assert.Single((await Pulled()).List("repertoire"));
    }

    [Fact]
    public async Task A_dissociated_piece_leaves_its_entries_with_its_name_in_them()
    {
        await Post("/api/repertoire", """{"scoreId":"clair de lune-debussy"}""");
        await Entries(
            Entry("bare", 20, "2026-03-01T10:00:00Z", "\"scoreId\":\"clair de lune-debussy\""),
            Entry(
                "named", 25, "2026-03-02T10:00:00Z",
                "\"scoreId\":\"clair de lune-debussy\",\"pieces\":[{\"title\":\"Clair de Lune\",\"composer\":\"Debussy\"}]"),
            Entry("other", 40, "2026-03-03T10:00:00Z", "\"scoreId\":\"other-one\""));
        var since = await Now();

        var answer = await Delete($"{Clair}/dissociate");

        Assert.Equal(
            (2, "Clair de Lune", "Debussy"),
            (answer.GetProperty("preservedLogs").GetInt32(), answer.Text("pieceTitle"), answer.Text("pieceComposer")));
        var received = await Pulled(since);
        Assert.Equal("repertoire_item", received.Only("deleted").Text("entityType"));
        var entry = received.Only("entries");
        Assert.Equal(
            ("bare", "Clair de Lune", "Debussy", 20),
            (entry.Text("id"), entry.Text("scoreTitle"), entry.Text("scoreComposer"), entry.GetProperty("duration").GetInt32()));
        Assert.Equal("clair de lune-debussy", entry.Text("scoreId"));
        Assert.Equal(HttpStatusCode.NotFound, await Web.FindStatus(HttpMethod.Delete, $"{Clair}/dissociate"));
    }

    [Fact]
    public async Task The_statistics_of_a_piece_tell_its_last_fifty_sessions()
    {
        await Post("/api/repertoire", """{"scoreId":"clair de lune-debussy"}""");
        await Entries([.. Enumerable.Range(0, 60).Select(i =>
            Entry($"e{i}", i, $"2026-03-01T10:{i:00}:00Z", $"\"scoreId\":\"clair de lune-debussy\",\"notes\":\"n{i}\""))]);

        var answer = await Web.Get($"{Clair}/stats");

        var stats = answer.GetProperty("stats");
        Assert.Equal(
            (60, 1770, 29.5),
            (
                stats.GetProperty("practiceCount").GetInt32(), stats.GetProperty("totalPracticeTime").GetDouble(),
                stats.GetProperty("avgSessionDuration").GetDouble()));
        Assert.Equal(DateTimeOffset.Parse("2026-03-01T10:00:00Z").ToUnixTimeMilliseconds(), stats.GetProperty("firstPracticed").GetInt64());
        Assert.Equal(DateTimeOffset.Parse("2026-03-01T10:59:00Z").ToUnixTimeMilliseconds(), stats.GetProperty("lastPracticed").GetInt64());
        Assert.Equal(
            Enumerable.Range(10, 50).Reverse().Select(i => $"n{i}"), stats.List("recentSessions").Select(session => session.Text("notes")));
        Assert.Equal(60, answer.GetProperty("repertoire").GetProperty("practiceCount").GetInt32());
        Assert.Equal(HttpStatusCode.NotFound, await Web.FindStatus(HttpMethod.Get, "/api/repertoire/no-such/stats"));
    }

    [Fact]
    public async Task A_score_id_with_slashes_bars_and_other_letters_is_found_by_its_path()
    {
        foreach (var id in (string[])["Prelude/Fugue - Bach", "A%2FB||C-D", "Ελεγεία-Σκαλκώτας", "score_AbC", "\ue000"])
        {
            await Post("/api/repertoire", JsonSerializer.Serialize(new { scoreId = id }));
            await Put($"/api/repertoire/{Uri.EscapeDataString(id)}", """{"status":"learning"}""");
            Assert.Equal(
                "learning", (await Web.Get($"/api/repertoire/{Uri.EscapeDataString(id)}/stats")).GetProperty("repertoire").Text("status"));
        }

        Assert.Equal(5, (await Pulled()).List("repertoire").Count);
    }

    [Theory]
    [InlineData("{}", "$.scoreId")]
    [InlineData("{\"scoreId\":7}", "$.scoreId")]
    [InlineData("{\"scoreId\":\"  \"}", "$.scoreId")]
    [InlineData("{\"scoreId\":\"a\\u0007b\"}", "$.scoreId")]
    [InlineData("{\"scoreId\":\"\\ud800\"}", "$.scoreId")]
    [InlineData("{\"scoreId\":\"a-b\",\"status\":\"mastered\"}", "$.status")]
    [InlineData("{\"scoreId\":\"a-b\",\"difficultyRating\":\"hard\"}", "$.difficultyRating")]
    [InlineData("{\"scoreId\":\"a-b\",\"referenceLinks\":[7]}", "$.referenceLinks")]
    public async Task A_piece_of_wrong_types_is_refused_with_the_place(string body, string path)
    {
        using var response = await Web.Send(HttpMethod.Post, "/api/repertoire", body);

        Assert.Equal(path, (await response.Problem(400, "INVALID_SHAPE")).Text("path"));
        Assert.Equal(0, (await Pulled()).GetProperty("lastSeq").GetInt64());
    }
}
