using System.Net;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.WebApp;

public abstract partial class WebAppContract
{
    [Fact]
    public async Task A_goal_is_set_with_an_id_of_its_own_and_the_other_device_has_it()
    {
        using var response = await Web.Send(HttpMethod.Post, "/api/goals",
            """{"title":"Scales","type":"practice_time","targetValue":100,"targetDate":"2027-01-01T00:00:00Z","scoreId":"a-b","milestones":[{"id":"m"}],"mine":1}""");

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var goal = await response.Json();
        Assert.Equal(("Scales", "active", 0), (goal.Text("title"), goal.Text("status"), goal.GetProperty("currentValue").GetInt32()));
        Assert.Equal(DateTimeOffset.Parse("2027-01-01T00:00:00Z").ToUnixTimeMilliseconds(), goal.GetProperty("targetDate").GetInt64());
        Assert.Equal("m", Assert.Single(goal.List("milestones")).Text("id"));
        var received = (await Pulled()).Only("goals");
        Assert.Equal(goal.Text("id"), received.Text("id"));
        Assert.Equal(1, received.GetProperty("mine").GetInt32());
    }

    [Fact]
    public async Task A_goal_set_twice_under_one_key_is_one_goal()
    {
        using var first = await Web.Send(HttpMethod.Post, "/api/goals", """{"title":"Scales"}""", "k");
        using var second = await Web.Send(HttpMethod.Post, "/api/goals", """{"title":"Scales"}""", "k");

        Assert.Equal((await first.Json()).Text("id"), (await second.Json()).Text("id"));
        Assert.Equal((HttpStatusCode.Created, true), (second.StatusCode, second.Headers.Contains("X-Idempotent-Replay")));
        Assert.Single((await Pulled()).List("goals"));
    }

    [Fact]
    public async Task An_id_that_is_taken_or_was_deleted_is_409()
    {
        await Post("/api/goals", """{"id":"g","title":"one"}""");
        Assert.Equal(HttpStatusCode.Conflict, await Web.FindStatus(HttpMethod.Post, "/api/goals", """{"id":"g","title":"two"}"""));
        await Delete("/api/goals/g");
        using var deleted = await Web.Send(HttpMethod.Post, "/api/goals", """{"id":"g","title":"two"}""");
        await deleted.Problem(409, "ALREADY_EXISTS");
        Assert.Empty((await Pulled()).List("goals"));
    }

    [Fact]
    public async Task Goals_are_listed_newest_first_and_by_what_is_asked_for()
    {
        await Phone.Push($$"""
            "goals":[{"id":"old","title":"old","status":"paused","type":"custom","scoreId":"Clair de Lune - Debussy","createdAt":"2020-01-01T00:00:00Z","updatedAt":"{{Iso(60)}}"}]
            """);
        await Post("/api/goals", """{"id":"new","title":"new","type":"accuracy"}""");
        await Entries(
            Entry("1", 20, "2026-03-01T10:00:00Z", "\"goalIds\":[\"old\",\"old\"]"),
            Entry("2", 25, "2026-03-02T10:00:00Z", "\"goal_ids\":[\"new\",\"old\"]"));

        var goals = (await Web.Get("/api/goals")).List("goals");
        Assert.Equal(["new", "old"], goals.Select(goal => goal.Text("id")));
        Assert.Equal([1, 2], goals.Select(goal => goal.GetProperty("relatedSessions").GetInt32()));
        Assert.Equal(DateTimeOffset.Parse("2020-01-01T00:00:00Z").ToUnixTimeMilliseconds(), goals[1].GetProperty("createdAt").GetInt64());
        foreach (var query in (string[])["status=paused", "type=custom", "scoreId=clair%20de%20lune-DEBUSSY"])
            Assert.Equal("old", (await Web.Get($"/api/goals?{query}")).Only("goals").Text("id"));
        Assert.Empty((await Web.Get("/api/goals?status=paused&type=accuracy")).List("goals"));
        Assert.Equal(45, (await Web.Get("/api/goals/old")).GetProperty("totalPracticeTime").GetInt32());
        Assert.Equal(HttpStatusCode.NotFound, await Web.FindStatus(HttpMethod.Get, "/api/goals/no-such"));
    }

    [Fact]
    public async Task Half_an_emoji_or_a_huge_sum_never_fails_a_list()
    {
        var deep = new string('[', 60) + new string(']', 60);
        await Phone.Push($$"""
            "goals":[{"id":"odd","title":"half \ud83c","milestones":[{"title":"\ud83c"}],"measures":{"\udfb5":"\ud83c\ud83c"},"practicePlan":{{deep}},"targetValue":1}],
            "repertoire":[{"scoreId":"odd-one","personalNotes":"\ud83c!","referenceLinks":["\ud83c"],"updatedAt":1}]
            """);
        await Entries(
            Entry(
                "1", 1, "2026-03-01T10:00:00Z",
                "\"goalIds\":[\"odd\"],\"scoreId\":\"odd-one\",\"notes\":\"\\ud83c\"").Replace("\"duration\":1", "\"duration\":1.7e308",
                StringComparison.Ordinal),
            Entry(
                "2", 1, "2026-03-02T10:00:00Z",
                "\"goalIds\":[\"odd\"],\"scoreId\":\"odd-one\"").Replace("\"duration\":1", "\"duration\":1.7e308",
                StringComparison.Ordinal));

        var goal = (await Web.Get("/api/goals")).Only("goals");
        Assert.Equal("\"half \\ud83c\"", goal.GetProperty("title").GetRawText());
        Assert.Equal("""[{"title":"\ud83c"}]""", goal.GetProperty("milestones").GetRawText());
        Assert.Equal(deep, goal.GetProperty("practicePlan").GetRawText());
        Assert.False((await Web.Get("/api/goals/odd")).TryGetProperty("totalPracticeTime", out _));
        var item = (await Web.Get("/api/repertoire")).Only("items");
        Assert.Equal(
            ("""["\ud83c"]""", "\"\\ud83c!\"", 2),
            (
                item.GetProperty("referenceLinks").GetRawText(), item.GetProperty("personalNotes").GetRawText(),
                item.GetProperty("practiceCount").GetInt32()));
        Assert.False(item.TryGetProperty("totalPracticeTime", out _));
        var stats = (await Web.Get("/api/repertoire/odd-one/stats")).GetProperty("stats");
        Assert.False(stats.TryGetProperty("avgSessionDuration", out _));
        Assert.Equal("\"\\ud83c\"", stats.List("recentSessions")[1].GetProperty("notes").GetRawText());
    }

    [Fact]
    public async Task NFC_and_NFD_spellings_of_a_composer_are_one_in_lists_and_search()
    {
        const string nfc = "Dvo\u0159\u00e1k", nfd = "Dvor\u030ca\u0301k";
        await Entries(
            Entry(
                "1", 10, "2026-03-01T10:00:00Z",
                $"\"scoreId\":\"rusalka-{nfd}\",\"pieces\":[{{\"title\":\"Rusalka\",\"composer\":\"{nfd}\"}}]"),
            Entry(
                "2", 20, "2026-03-02T10:00:00Z",
                $"\"scoreId\":\"rusalka-{nfc}\",\"pieces\":[{{\"title\":\"Rusalka\",\"composer\":\"{nfc}\"}}]"));
        await Post("/api/repertoire", $$"""{"scoreId":"rusalka-{{nfc}}"}""");

        foreach (var spelling in (string[])[nfc, nfd, "\u0159\u00c1K"])
            Assert.Equal(
                3,
                (await Web.Get($"/api/autocomplete/composers?q={Uri.EscapeDataString(spelling)}"))
                    .Only("results")
                    .GetProperty("count")
                    .GetInt32());
        foreach (var spelling in (string[])[nfc, nfd])
            Assert.Equal(
                3,
                (await Web.Get($"/api/autocomplete/pieces?q=rusalka&composer={Uri.EscapeDataString(spelling)}"))
                    .Only("results")
                    .GetProperty("count")
                    .GetInt32());
        Assert.Equal(30, (await Web.Get("/api/repertoire")).Only("items").GetProperty("totalPracticeTime").GetInt32());
        Assert.Equal(
            2,
            (await Web.Get($"/api/repertoire/{Uri.EscapeDataString($"rusalka-{nfc}")}/stats"))
                .GetProperty("stats")
                .List("recentSessions")
                .Count);
        Assert.Equal(nfd, (await Pulled()).List("entries").Single(entry => entry.Text("id") == "1").List("pieces")[0].Text("composer"));
        var renamed = await Put(
            "/api/pieces/update-name",
            $$$"""{"oldPiece":{"title":"Rusalka","composer":"{{{nfc}}}"},"newPiece":{"title":"Rusalka, op. 114","composer":"{{{nfc}}}"}}""");
        Assert.Equal(2, renamed.GetProperty("updatedCount").GetInt32());
    }

    [Fact]
    public async Task Changing_a_goal_keeps_the_members_that_are_not_sent()
    {
        await Post("/api/goals", """{"id":"g","title":"Scales","targetValue":100,"mine":{"deep":[1]}}""");
        var since = await Now();

        await Put("/api/goals/g", """{"status":"cancelled","id":"h"}""");

        var received = (await Pulled(since)).Only("goals");
        Assert.Equal(("g", "cancelled", "Scales"), (received.Text("id"), received.Text("status"), received.Text("title")));
        Assert.Equal("[1]", received.GetProperty("mine").GetProperty("deep").GetRawText());
        Assert.Equal(HttpStatusCode.NotFound, await Web.FindStatus(HttpMethod.Put, "/api/goals/h", "{}"));
    }

    [Fact]
    public async Task A_deleted_goal_is_gone_everywhere()
    {
        await Post("/api/goals", """{"id":"g","title":"Scales"}""");
        var since = await Now();

        await Delete("/api/goals/g");

        Assert.Equal("g", (await Pulled(since)).Only("deleted").Text("entityId"));
        Assert.Equal(HttpStatusCode.NotFound, await Web.FindStatus(HttpMethod.Delete, "/api/goals/g"));
    }

    [Fact]
    public async Task Progress_from_two_devices_at_once_adds_up_and_completes_the_goal()
    {
        await Post("/api/goals", """{"id":"g","title":"Scales","targetValue":10}""");

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i =>
            (i % 2 == 0 ? Web : Phone).Ask(HttpMethod.Post, "/api/goals/g/progress", """{"value":1,"notes":"a bit"}""")));

        Assert.Contains(answers, answer => answer.GetProperty("completed").GetBoolean());
        var goal = (await Pulled()).Only("goals");
        Assert.Equal(("completed", 10), (goal.Text("status"), goal.GetProperty("currentValue").GetInt32()));
        Assert.Equal(10, goal.List("progress").Count);
        Assert.All(
            goal.List("progress"), record => Assert.Equal((1, "a bit"), (record.GetProperty("value").GetInt32(), record.Text("notes"))));
    }

    [Fact]
    public async Task Progress_repeated_under_a_key_counts_once()
    {
        await Post("/api/goals", """{"id":"g","title":"Scales"}""");
        var statuses = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(_ => Web.FindStatus(HttpMethod.Post, "/api/goals/g/progress", """{"value":2.5}""", "k")));

        Assert.All(statuses, status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.Equal(2.5, (await Web.Get("/api/goals/g")).GetProperty("currentValue").GetDouble());
        using var wrong = await Web.Send(HttpMethod.Post, "/api/goals/g/progress", """{"value":"much"}""");
        Assert.Equal("$.value", (await wrong.Problem(400, "INVALID_SHAPE")).Text("path"));
        Assert.Equal(HttpStatusCode.NotFound, await Web.FindStatus(HttpMethod.Post, "/api/goals/no-such/progress", """{"value":1}"""));
    }

    [Fact]
    public async Task A_piece_is_renamed_in_every_entry_a_revision_each()
    {
        await Entries([.. Enumerable.Range(0, 600).Select(i =>
            Entry(
                $"e{i}", i, $"2026-03-01T{i / 60:00}:{i % 60:00}:00Z",
                "\"mood\":\"proud\",\"pieces\":[{\"title\":\"Claire\",\"composer\":\"Debusy\",\"measures\":\"1-4\"},{\"title\":\"Other\"}]"))]);
        await Entries(
            Entry("scored", 5, "2026-03-02T10:00:00Z", "\"scoreTitle\":\"Claire\",\"scoreComposer\":\"Debusy\""),
            Entry("another's", 5, "2026-03-03T10:00:00Z", "\"pieces\":[{\"title\":\"Claire\",\"composer\":\"Ravel\"}]"));
        var since = await Now();

        var answer = await Put(
            "/api/pieces/update-name",
            """{"oldPiece":{"title":"Claire","composer":"Debusy"},"newPiece":{"title":"Clair de Lune","composer":"Debussy"}}""");

        Assert.Equal((true, 601), (answer.GetProperty("success").GetBoolean(), answer.GetProperty("updatedCount").GetInt32()));
        var received = (await Pulled(since)).List("entries");
        Assert.Equal(601, received.Count);
        var piece = received.Single(entry => entry.Text("id") == "e7").List("pieces");
        Assert.Equal(
            ("Clair de Lune", "Debussy", "1-4", "clair de lune-debussy"),
            (piece[0].Text("title"), piece[0].Text("composer"), piece[0].Text("measures"), piece[0].Text("id")));
        Assert.Equal("Other", piece[1].Text("title"));
        var scored = received.Single(entry => entry.Text("id") == "scored");
        Assert.Equal(("Clair de Lune", "clair de lune-debussy"), (scored.Text("scoreTitle"), scored.Text("scoreId")));
        Assert.Equal(
            0,
            (
                await Put(
                    "/api/pieces/update-name",
                    """{"oldPiece":{"title":"Claire","composer":"Debusy"},"newPiece":{"title":"Clair de Lune","composer":"Debussy"}}"""))
                .GetProperty("updatedCount")
                .GetInt32());
        using var wrong = await Web.Send(
            HttpMethod.Put, "/api/pieces/update-name", """{"oldPiece":{"title":"x"},"newPiece":{"title":7}}""");
        Assert.Equal("$.newPiece.title", (await wrong.Problem(400, "INVALID_SHAPE")).Text("path"));
    }

    [Fact]
    public async Task Names_are_suggested_from_entries_and_repertoire_the_best_match_first()
    {
        await Entries(
            Entry(
                "1", 1, "2026-03-01T10:00:00Z",
                "\"pieces\":[{\"title\":\"Reverie\",\"composer\":\"Debussy\"},{\"title\":\"My Reverie\",\"composer\":null}]"),
            Entry(
                "2", 2, "2026-03-02T10:00:00Z",
                "\"pieces\":[{\"title\":\"Reverie\",\"composer\":\"Debussy\"},{\"title\":\"Reverie du "
                + "soir\",\"composer\":\"Saint-Saëns\"}]"),
            Entry(
                "3", 3, "2026-03-03T10:00:00Z",
                "\"scoreTitle\":\"Daydreverie\",\"scoreComposer\":\"Bussy\",\"\\ud800\":\"\\ud800\",\"pieces\":[7,{\"title\":[]},null]"));
        await Post("/api/repertoire", """{"scoreId":"reverie-schumann"}""");

        var pieces = await Web.Get("/api/autocomplete/pieces?q=REVERIE");
        Assert.Equal(
            ["Reverie", "reverie", "Reverie du soir", "My Reverie", "Daydreverie"],
            pieces.List("results").Select(result => result.Text("value")));
        Assert.Equal(5, pieces.GetProperty("total").GetInt32());
        Assert.Equal(
            ("Debussy", 2),
            (
                pieces.List("results")[0].GetProperty("metadata").Text("composer"),
                pieces.List("results")[0].GetProperty("count").GetInt32()));
        Assert.Equal(
            "Reverie du soir", (await Web.Get("/api/autocomplete/pieces?q=rev&composer=saint-saëns")).Only("results").Text("label"));
        var composers = await Web.Get("/api/autocomplete/composers?q=bussy&limit=1");
        Assert.Equal(("Bussy", 2), (composers.Only("results").Text("value"), composers.GetProperty("total").GetInt32()));
        using var wrong = await Web.Send(HttpMethod.Get, "/api/autocomplete/composers?limit=101");
        await wrong.Problem(400, "INVALID_PARAMETER");
    }
}
