using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.EndToEnd;

/// <summary>What users of such systems report, each named after its symptom.</summary>
public abstract partial class HttpContract
{
    [Fact]
    public async Task The_same_session_saved_twice_keeps_both_rows()
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        const string session = ",\"timestamp\":\"2026-05-01T18:30:00.000Z\",\"duration\":30";
        var (one, two) = (Entry("one", "scales", 10, session), Entry("two", "scales", 5, session));
        await laptop.PushEntry(one);
        Assert.Equal("created", (await phone.PushEntry(two)).Only("results").Text("status"));
        Assert.Equal(["one", "two"], (await phone.Pull()).List("entries").Select(entry => entry.Text("id")).Order());

        var again = await laptop.Push($"\"entries\":[{one},{two},{Entry("three", "scales", 5, session)}]");
        Assert.Equal(
            (2, "three"),
            (again.GetProperty("stats").GetProperty("duplicatesPrevented").GetInt32(), again.Only("results").Text("entityId")));
    }

    [Theory]
    [InlineData("\"deletedAt\":\"\"")]
    [InlineData("\"deletedAt\":0")]
    [InlineData("\"deletedAt\":\"soon\"")]
    [InlineData("\"deleted_at\":false")]
    [InlineData("\"deletedAt\":true")]
    [InlineData("\"deletedAt\":{}")]
    public async Task A_deletedAt_that_is_no_time_deletes_nothing(string member)
    {
        var phone = Device("phone");
        await phone.PushEntry(Entry("e", "first", 10));

        await phone.PushEntry(Entry("e", "second", 5, $",{member}"));

        Assert.Equal("second", (await phone.Pull()).Only("entries").Text("notes"));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("\"true\"")]
    [InlineData("[]")]
    public async Task A_batch_whose_deleted_is_no_boolean_is_400_with_its_path(string deleted)
    {
        var phone = Device("phone");
        await phone.PushEntry(Entry("e", "first", 10));

        using var response = await phone.Send(HttpMethod.Post, "/api/sync/batch",
            $"{{\"entities\":[{{\"type\":\"goal\",\"id\":\"g\",\"data\":{{\"x\":1}},\"deleted\":null}},{{\"type\":\"logbook_entry\",\"id\":\"e\",\"data\":{{\"x\":1}},\"deleted\":{deleted}}}]}}");

        Assert.Equal("$.entities[1].deleted", (await response.Problem(400, "INVALID_SHAPE")).Text("path"));
        var pulled = await phone.Pull();
        Assert.Equal(("first", 0), (pulled.Only("entries").Text("notes"), pulled.List("goals").Count));
    }

    [Fact]
    public async Task A_deletion_without_a_time_that_lost_is_still_one_when_it_is_restored()
    {
        var phone = Device("phone");
        await phone.PushEntry(Entry("e", "stays", 10));
        await phone.Ask(HttpMethod.Post, "/api/sync/batch", """{"entities":[{"type":"logbook_entry","id":"e","deleted":true}]}""");
        var lost = (await phone.Get("/api/sync/conflicts")).Only("conflicts");

        await phone.Ask(HttpMethod.Post, $"/api/sync/conflicts/{Uri.EscapeDataString(lost.Text("id")!)}/restore");

        Assert.Empty((await phone.Pull()).List("entries"));
    }

    [Fact]
    public async Task A_batch_item_of_a_lower_version_with_the_same_clock_loses_in_either_order()
    {
        var phone = Device("phone");
        async Task<string?> Batch(string id, int version, string notes)
        {
            var item =
                $"{{\"type\":\"logbook_entry\",\"id\":\"{id}\",\"version\":{version},\"data\":{{\"notes\":\"{notes}\",\"updatedAt\":\"2026-01-01T10:00:00.000Z\"}}}}";
            return (await phone.Ask(HttpMethod.Post, "/api/sync/batch", $"{{\"entities\":[{item}]}}")).Only("results").Text("status");
        }

        for (var i = 0; i < 8; i++)
        {
            await Batch($"down{i}", 7, $"higher {i}");
            Assert.Equal("conflict", await Batch($"down{i}", 6, $"lower {i}"));
            await Batch($"up{i}", 6, $"lower {i}");
            Assert.Equal("updated", await Batch($"up{i}", 7, $"higher {i}"));
        }

        Assert.All(
            (await phone.Pull()).List("entries"), entry => Assert.StartsWith("higher", entry.Text("notes"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_device_whose_name_is_no_ASCII_syncs_under_its_name()
    {
        foreach (
            var (sent, name) in ((string, string)[])
            [
                ("G%C3%A4ste%20iPad", "Gäste iPad"), ("%E7%90%B4", "琴"), ("100%", "100%"), ("a%2", "a%2"), ("%FFx", "%FFx"),
                ("it%E2%80%99s", "it’s"), ("plain", "plain"),
            ])
        {
            await Device(sent).Push("");
            Assert.Contains(name, (await Device(null).Get("/api/sync/devices")).List("devices").Select(device => device.Text("deviceId")));
        }

        using var control = await Device("a%0Ab").Send(HttpMethod.Get, "/api/sync/status");
        await control.Problem(400, "INVALID_HEADER");
    }

    [Fact]
    public async Task An_export_that_is_imported_after_deleting_everything_brings_it_all_back()
    {
        var phone = Device("phone");
        await phone.Push(
            $"\"entries\":[{Entry("e1", "kept ü", 600)},{Entry("e2", "later edited", 600)}],\"preferences\":{{\"theme\":\"dark\"}}");
        await phone.Ask(HttpMethod.Post, "/api/sync/batch", """{"entities":[{"type":"my_own","id":"o","data":{"x":1}}]}""");
        using var exported = await phone.Send(HttpMethod.Get, "/api/sync/export");
        var export = await exported.Content.ReadAsStringAsync();
        var before = await phone.Pull();
        var deletions = new[] { ("logbook_entry", "e1"), ("my_own", "o"), ("user_preferences", user) }
            .Select(one => $"{{\"type\":\"{one.Item1}\",\"id\":\"{one.Item2}\",\"data\":{{\"deletedAt\":\"{Iso(0)}\"}}}}");
        await phone.Ask(HttpMethod.Post, "/api/sync/batch", $"{{\"entities\":[{string.Join(',', deletions)}]}}");
        await phone.PushEntry(Entry("e2", "edited since"));

        var answer = await phone.Ask(HttpMethod.Post, "/api/sync/import", export);

        Assert.Equal(["conflict", "created", "created", "created"], answer.List("results").Select(result => result.Text("status")).Order());
        var after = await phone.Pull();
        Assert.Equal(["edited since", "kept ü"], after.List("entries").Select(entry => entry.Text("notes")).Order());
        Assert.Equal("dark", after.GetProperty("preferences").Text("theme"));
        Assert.Equal(1, after.GetProperty("other").Only("my_own").GetProperty("x").GetInt32());
        var again = await phone.Ask(HttpMethod.Post, "/api/sync/import", string.Join('\n', export.Split('\n').Take(4)));
        Assert.Equal(3, again.GetProperty("stats").GetProperty("duplicatesPrevented").GetInt32());
        await phone.Send(HttpMethod.Delete, "/api/sync/data", null, null, ("Confirm", "erase"));
        await phone.Ask(HttpMethod.Post, "/api/sync/import", export);
        var restored = await phone.Pull();
        Assert.Equal(
            before.List("entries").Select(entry => entry.Text("notes")).Order(),
            restored.List("entries").Select(entry => entry.Text("notes")).Order());
    }

    [Theory]
    [InlineData("{\"kind\":\"entity\"}", "$[0]", "INVALID_SHAPE")]
    [InlineData("\n{\"kind\":\"entry\"}", "$[1].kind", "INVALID_SHAPE")]
    [InlineData("{\"kind\":\"end\"}\n[]", "$[1]", "INVALID_SHAPE")]
    [InlineData("{\"kind\":\"end\"}\n{", "$[1]", "INVALID_JSON")]
    [InlineData("{\"changes\":{}}", "$[0].kind", "INVALID_SHAPE")]
    public async Task What_is_no_export_is_400_with_its_line(string body, string path, string code)
    {
        using var response = await Device("phone").Send(HttpMethod.Post, "/api/sync/import", body);
        Assert.Equal(path, (await response.Problem(400, code)).Text("path"));
    }
}
