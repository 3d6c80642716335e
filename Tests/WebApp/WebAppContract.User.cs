using System.Net;
using System.Text.Json;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.WebApp;

public abstract partial class WebAppContract
{
    [Fact]
    public async Task Me_tells_what_the_token_says_and_since_when()
    {
        using var response = await Me(Web);
        var me = await response.Json();

        Assert.Equal(user, me.Text("id"));
        Assert.Equal((user, "magic_link", "user"), (me.Text("displayName"), me.Text("authProvider"), me.Text("role")));
        Assert.Equal(DateTimeOffset.UtcNow, DateTimeOffset.Parse(me.Text("createdAt")!), TimeSpan.FromMinutes(1));
    }

    /// <summary>On a busy machine the store may be late; then the token alone speaks, and says nothing of the history.</summary>
    private static async Task<HttpResponseMessage> Me(HttpDevice device)
    {
        while (true)
        {
            var response = await device.Send(HttpMethod.Get, "/api/user/me");
            if (!response.IsSuccessStatusCode || (await response.Json()).TryGetProperty("createdAt", out _)) return response;
            response.Dispose();
        }
    }

    [Fact]
    public async Task Me_refuses_a_signed_out_user_and_a_revoked_device()
    {
        await Web.Get("/api/sync/status");
        Assert.Equal(HttpStatusCode.NoContent, await Phone.FindStatus(HttpMethod.Delete, "/api/sync/devices/web"));
        using var revoked = await Me(Web);
        await revoked.Problem(403, "DEVICE_REVOKED");
        using var alsoThere = await Web.Send(HttpMethod.Put, "/api/user/preferences", "{\"theme\":\"dark\"}");
        await alsoThere.Problem(403, "DEVICE_REVOKED");

        await Phone.Ask(HttpMethod.Post, "/api/sync/sign-out-everywhere");
        using var signedOut = await Me(Phone);
        await signedOut.Problem(401, "SIGNED_OUT");
    }

    [Fact]
    public async Task Preferences_are_empty_at_first_then_what_was_put_and_the_other_device_has_them()
    {
        Assert.Empty((await Web.Get("/api/user/preferences")).EnumerateObject());

        var stored = await Put("/api/user/preferences", """{"theme":"dark","sound":{"volume":3}}""");

        Assert.Equal("dark", stored.Text("theme"));
        var received = (await Pulled()).GetProperty("preferences");
        Assert.Equal(stored.GetRawText(), received.GetRawText());
        Assert.Equal(user, received.Text("user_id"));
        Assert.Equal(received.GetRawText(), (await Web.Get("/api/user/preferences")).GetRawText());
    }

    [Fact]
    public async Task Putting_some_preferences_keeps_the_others_and_the_way_they_were_written()
    {
        await Phone.Push($$"""
            "preferences":{"volume":1.50,"odd \ud83c\udfb5":"\u00e9","theme":"light","updatedAt":"{{Iso(60)}}"}
            """);
        var seen = await Web.Get("/api/user/preferences");

        await Put("/api/user/preferences", """{"theme":"dark","id":"mine","deletedAt":"2026-01-01T00:00:00Z","version":77}""");

        var received = (await Pulled()).GetProperty("preferences");
        Assert.Equal("dark", received.Text("theme"));
        Assert.Equal("1.50", received.GetProperty("volume").GetRawText());
        Assert.Equal("\"\\u00e9\"", received.GetProperty("odd 🎵").GetRawText());
        Assert.Equal(seen.GetProperty("version").GetInt64() + 1, received.GetProperty("version").GetInt64());
        Assert.Empty((await Web.Get("/api/sync/conflicts")).List("conflicts"));
    }

    [Fact]
    public async Task Two_devices_that_put_different_preferences_at_once_both_keep_theirs()
    {
        await Put("/api/user/preferences", """{"start":true}""");
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i =>
            (i % 2 == 0 ? Web : Phone).Ask(HttpMethod.Put, "/api/user/preferences", $"{{\"member{i}\":{i}}}")));

        var preferences = await Web.Get("/api/user/preferences");
        Assert.True(preferences.GetProperty("start").GetBoolean());
        Assert.All(Enumerable.Range(0, 12), i => Assert.Equal(i, preferences.GetProperty($"member{i}").GetInt32()));
        Assert.Empty((await Web.Get("/api/sync/conflicts")).List("conflicts"));
        Assert.Equal(13, (await Web.Get("/api/sync/status")).GetProperty("lastSeq").GetInt64());
    }

    [Fact]
    public async Task A_repetition_under_a_key_is_not_executed_again()
    {
        await Put("/api/user/preferences", """{"theme":"light"}""");
        Assert.Equal(HttpStatusCode.OK, await Web.FindStatus(HttpMethod.Put, "/api/user/preferences", """{"theme":"dark"}""", "k"));
        await Put("/api/user/preferences", """{"theme":"green"}""");

        using var again = await Web.Send(HttpMethod.Put, "/api/user/preferences", """{"theme":"dark"}""", "k");

        Assert.Equal("true", again.Headers.GetValues("X-Idempotent-Replay").Single());
        Assert.Equal("green", (await again.Json()).Text("theme"));
        using var other = await Web.Send(HttpMethod.Put, "/api/user/preferences", """{"theme":"red"}""", "k");
        await other.Problem(422, "IDEMPOTENCY_KEY_REUSED");
        Assert.Equal(HttpStatusCode.OK, await Web.FindStatus(HttpMethod.Post, "/api/sync/push", """{"changes":{}}""", "k"));
    }

    [Theory]
    [InlineData("", 400, "INVALID_JSON")]
    [InlineData("[]", 400, "INVALID_SHAPE")]
    [InlineData("null", 400, "INVALID_SHAPE")]
    [InlineData("{\"a\":1,\"a\":2}", 400, "DUPLICATE_MEMBER")]
    [InlineData("{\"a\":1}x", 400, "INVALID_JSON")]
    [InlineData("{\"a\":{\"b\":1,\"b\":2}}", 422, "DOCUMENT_REFUSED")]
    [InlineData("{\"a\":1e999}", 422, "DOCUMENT_REFUSED")]
    [InlineData("deep 60", 200, "")]
    [InlineData("deep 70", 422, "DOCUMENT_REFUSED")]
    [InlineData("deep 80", 400, "INVALID_JSON")]
    [InlineData("huge", 422, "DOCUMENT_REFUSED")]
    public async Task A_hostile_body_gets_its_problem_and_stores_nothing(string body, int status, string code)
    {
        if (body.StartsWith("deep", StringComparison.Ordinal))
        {
            body = $"{{\"a\":{string.Concat(Enumerable.Repeat("[", int.Parse(body[5..])))}{new string(']', int.Parse(body[5..]))}}}";
        }
        if (body == "huge") body = JsonSerializer.Serialize(new { a = new string('x', 300 * 1024) });
        await Put("/api/user/preferences", """{"theme":"dark"}""");

        using var response = await Web.Send(HttpMethod.Put, "/api/user/preferences", body);

        Assert.Equal(status, (int)response.StatusCode);
        if (status == 200) return;
        await response.Problem(status, code);
        Assert.Equal(1, (await Pulled()).GetProperty("lastSeq").GetInt64());
        Assert.Empty((await Web.Get("/api/sync/conflicts")).List("conflicts"));
    }

    [Fact]
    public async Task Calls_of_other_services_are_501_and_name_the_service()
    {
        foreach (
            var (method, path) in ((HttpMethod, string)[])
            [
                (HttpMethod.Post, "/api/auth/refresh"), (HttpMethod.Get, "/api/auth/logout"), (HttpMethod.Get, "/api/auth/google/callback"),
            ])
        {
            using var response = await Web.Send(method, path, method == HttpMethod.Post ? "{}" : null);
            var shown = (await response.Problem(501, "NOT_OFFERED")).Text("error")!;
            Assert.True(shown.Length <= 80 && shown.IndexOf('.') == shown.Length - 1 && !shown.Contains('/'), shown);
        }

        using var anonymous = new HttpClient();
        using var signIn = await anonymous.PostAsync(new Uri(store.Server.Url, "/api/auth/request-magic-link"), null);
        await signIn.Problem(501, "NOT_OFFERED");
    }

    [Fact]
    public async Task Signing_out_is_200_whatever_became_of_the_token()
    {
        Assert.Equal(HttpStatusCode.OK, await Web.FindStatus(HttpMethod.Post, "/api/auth/logout", "{}"));
        using var anonymous = new HttpClient();
        using var response = await anonymous.PostAsync(new Uri(store.Server.Url, "/api/auth/logout"), null);
        Assert.True((await response.Json()).GetProperty("success").GetBoolean());
    }

    [Fact]
    public async Task An_own_template_is_adopted_into_a_plan_with_its_first_occurrence()
    {
        await Phone.Push($$$"""
            "planTemplates":[{"id":"t","title":"Warm-up","description":"daily","type":"custom","focusAreas":["tone"],"tags":["a"],"templateVersion":3,"mine":7,
                "schedule":{"kind":"recurring","rule":"FREQ=DAILY","timeOfDay":"07:30","durationMinutes":20,"startDate":"2026-05-04T00:00:00.000Z"},
                "metadata":{"preview":{"segments":[{"label":"Long tones"}]}},"visibility":"public","status":"x","updatedAt":"{{{Iso(60)}}}"}]
            """);
        var since = await Now();

        var answer = await Post(
            "/api/templates/adopt",
            """{"templateId":"t","customization":{"title":"Mine","tags":["b","a"],"schedule":{"durationMinutes":45}}}""");

        Assert.True(answer.GetProperty("success").GetBoolean());
        var received = await Pulled(since);
        var (plan, occurrence) = (received.Only("practicePlans"), received.Only("planOccurrences"));
        Assert.Equal(
            (plan.GetRawText(), occurrence.GetRawText()),
            (answer.GetProperty("plan").GetRawText(), answer.Only("occurrences").GetRawText()));
        Assert.Equal(
            ("Mine", "daily", "active", "private", "t", user),
            (
                plan.Text("title"), plan.Text("description"), plan.Text("status"), plan.Text("visibility"), plan.Text("sourceTemplateId"),
                plan.Text("ownerId")));
        Assert.Equal(["a", "b"], plan.List("tags").Select(tag => tag.GetString()));
        Assert.Equal(
            (45, "FREQ=DAILY"),
            (plan.GetProperty("schedule").GetProperty("durationMinutes").GetInt32(), plan.GetProperty("schedule").Text("rule")));
        Assert.Equal("t", plan.GetProperty("metadata").Text("adoptedFrom"));
        Assert.Equal(
            (plan.Text("id"), "scheduled", "FREQ=DAILY"),
            (occurrence.Text("planId"), occurrence.Text("status"), occurrence.Text("recurrenceKey")));
        Assert.Equal(
            ("2026-05-04T07:30:00.000Z", "2026-05-04T08:15:00.000Z"), (occurrence.Text("scheduledStart"), occurrence.Text("scheduledEnd")));
        Assert.Equal("Long tones", Assert.Single(occurrence.List("segments")).Text("label"));
        Assert.Equal(1, received.Only("planTemplates").GetProperty("adoptionCount").GetInt32());
        Assert.Equal(
            HttpStatusCode.NotFound, await Web.FindStatus(HttpMethod.Post, "/api/templates/adopt", """{"templateId":"another's"}"""));
    }

    [Fact]
    public async Task A_template_adopted_twice_under_one_key_is_one_plan()
    {
        await Phone.Push($$"""
            "planTemplates":[{"id":"t","title":"Warm-up","updatedAt":"{{Iso(60)}}"}]
            """);
        using var first = await Web.Send(HttpMethod.Post, "/api/templates/adopt", """{"templateId":"t"}""", "k");
        using var second = await Web.Send(HttpMethod.Post, "/api/templates/adopt", """{"templateId":"t"}""", "k");

        Assert.Equal((await first.Json()).GetProperty("plan").Text("id"), (await second.Json()).GetProperty("plan").Text("id"));
        Assert.Equal("Warm-up (Copy)", (await Pulled()).Only("practicePlans").Text("title"));
    }

    [Fact]
    public async Task Another_user_sees_and_changes_nothing_of_it()
    {
        await Put("/api/user/preferences", """{"theme":"dark"}""");
        await Post("/api/repertoire", """{"scoreId":"clair de lune-debussy"}""");
        await Post("/api/goals", """{"id":"g","title":"mine"}""");
        await Entries(Entry("e", 10, "2026-01-01T10:00:00Z", "\"scoreTitle\":\"Clair de Lune\",\"scoreComposer\":\"Debussy\""));
        var before = await Pulled();
        var stranger = Device("web", $"stranger-{Guid.NewGuid():n}");

        Assert.Empty((await stranger.Get("/api/user/preferences")).EnumerateObject());
        Assert.Empty((await stranger.Get("/api/repertoire")).List("items"));
        Assert.Empty((await stranger.Get("/api/goals")).List("goals"));
        Assert.Empty((await stranger.Get("/api/autocomplete/pieces?q=clair")).List("results"));
        Assert.Equal(
            0,
            (
                await stranger.Ask(
                    HttpMethod.Put, "/api/pieces/update-name",
                    """{"oldPiece":{"title":"Clair de Lune","composer":"Debussy"},"newPiece":{"title":"Mine"}}"""))
                .GetProperty("updatedCount")
                .GetInt32());
        foreach (
            var (method, path) in ((HttpMethod, string)[])
            [
                (HttpMethod.Get, "/api/goals/g"), (HttpMethod.Delete, "/api/goals/g"),
                (HttpMethod.Delete, "/api/repertoire/clair%20de%20lune-debussy"),
                (HttpMethod.Delete, "/api/repertoire/clair%20de%20lune-debussy/dissociate"),
                (HttpMethod.Get, "/api/repertoire/clair%20de%20lune-debussy/stats"),
            ])
        {
            using var response = await stranger.Send(method, path);
            await response.Problem(404, "NOT_FOUND");
        }

        Assert.Equal(before.Text("digest"), (await Pulled()).Text("digest"));
    }

    [Fact]
    public async Task Each_call_asks_for_a_token()
    {
        Web.Token = Edge.Token(user, expires: DateTimeOffset.UtcNow.AddHours(-1));
        foreach (
            var path in (string[])["/api/user/me", "/api/user/preferences", "/api/repertoire", "/api/goals", "/api/autocomplete/composers"])
        {
            using var response = await Web.Send(HttpMethod.Get, path);
            await response.Problem(401, "TOKEN_EXPIRED");
        }
    }
}
