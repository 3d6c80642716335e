using System.Net;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Sockets;

namespace Mirubato.Tests.Admin;

/// <summary>One user, as an operator sees and helps them.</summary>
public sealed class AdminUserTests
{
    private const string Ada = "ada/who is <b>nobody's</b>";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_user_is_shown_with_devices_lag_connections_and_conflicts_but_without_content()
    {
        await using var server = await AdminServer.Start();
        using var phone = server.Device(Ada, "phone");
        using var tablet = server.Device(Ada, "tablet");
        await phone.Push("""
            "entries":[{"id":"secret-id","notes":"secret words","updatedAt":"2026-01-02T00:00:00.000Z"}],"goals":[{"id":"g1","updatedAt":1}]
            """);
        await tablet.Pull();
        await tablet.PushEntry("""{"id":"secret-id","notes":"secret loser","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        await using var socket = await SocketClient.Open(
            server.Url, Ada, $"userId={Uri.EscapeDataString(Ada)}&token={Edge.Token(Ada)}&deviceId=phone");
        await socket.Next("WELCOME");
        await socket.Sync();

        var user = await server.User(Ada);
        var shown = await server.User(Ada, "?content=true");

        Assert.Equal(Ada, user.Text("user"));
        Assert.Equal(2, user.GetProperty("head").GetInt64());
        Assert.Equal((await phone.Get("/api/sync/status")).Text("digest"), user.Text("digest"));
        var entities = user.GetProperty("entities");
        Assert.Equal((2, 0), (entities.GetProperty("live").GetInt32(), entities.GetProperty("tombstones").GetInt32()));
        Assert.Equal(1, entities.GetProperty("byType").GetProperty("goal").GetInt32());
        Assert.True(entities.GetProperty("bytes").GetInt64() > 50);
        var device = user.List("devices").Single(one => one.Text("deviceId") == "phone");
        Assert.True(device.GetProperty("live").GetBoolean());
        Assert.Equal((2, 0), (device.GetProperty("lastSeq").GetInt64(), device.GetProperty("lag").GetInt64()));
        Assert.Equal(("phone", 2), (user.Only("connections").Text("deviceId"), user.Only("connections").GetProperty("seq").GetInt64()));
        Assert.Equal("stale", user.Only("conflicts").Text("reason"));
        Assert.DoesNotContain("secret", user.GetRawText(), StringComparison.Ordinal);
        Assert.Equal("secret-id", shown.Only("conflicts").Text("entityId"));
        Assert.Equal("secret loser", shown.Only("conflicts").GetProperty("document").Text("notes"));
        Assert.Contains("content", Assert.Single(server.Audited), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_user_is_404_and_is_not_created()
    {
        await using var server = await AdminServer.Start();
        foreach (var path in (string[])["", "/export"])
        {
            using var answer = await server.Send(HttpMethod.Get, $"/admin/v1/users/nobody{path}");
            await answer.Problem(404, "NOT_FOUND");
        }

        foreach (var action in (string[])["resync", "disconnect", "sign-out", "erase"])
        {
            using var answer = await server.Send(HttpMethod.Post, $"/admin/v1/users/nobody/{action}", action);
            await answer.Problem(404, "NOT_FOUND");
        }

        using var again = await server.Send(HttpMethod.Get, "/admin/v1/users/nobody");
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    [Fact]
    public async Task Nothing_is_done_unless_it_is_confirmed_by_name()
    {
        await using var server = await AdminServer.Start();
        using var phone = server.Device("ada", "phone");
        await phone.PushEntry("""{"id":"e1","updatedAt":1}""");
        var before = (await server.User("ada")).Text("syncToken");

        foreach (
            var (method, path, action) in ((HttpMethod, string, string)[])
            [
                (HttpMethod.Post, "users/ada/resync", "resync"), (HttpMethod.Post, "users/ada/disconnect", "disconnect"),
                (HttpMethod.Post, "users/ada/sign-out", "sign-out"), (HttpMethod.Post, "users/ada/erase", "erase"),
                (HttpMethod.Post, "users/ada/history/logbook_entry/e1/1/restore", "restore"),
                (HttpMethod.Delete, "users/ada/devices/phone", "revoke"), (HttpMethod.Post, "silos/x/drain", "drain"),
                (HttpMethod.Delete, "silos/x/drain", "resume"),
            ])
        {
            foreach (var confirm in (string?[])[null, "yes", action.ToUpperInvariant()])
            {
                using var answer = await server.Send(method, $"/admin/v1/{path}", confirm);
                var problem = await answer.Problem(400, "CONFIRMATION_REQUIRED");
                Assert.Contains($"Confirm: {action}", problem.Text("detail"), StringComparison.Ordinal);
            }
        }

        Assert.Equal(before, (await server.User("ada")).Text("syncToken"));
        Assert.Equal(HttpStatusCode.OK, await phone.FindStatus(HttpMethod.Get, "/api/sync/status"));
        Assert.Empty(server.Audited);
    }

    [Fact]
    public async Task After_a_resync_devices_start_over_with_all_that_is_stored()
    {
        await using var server = await AdminServer.Start();
        using var phone = server.Device("ada", "phone");
        await phone.PushEntry("""{"id":"e1","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        var token = (await phone.Pull()).Text("syncToken");
        await using var socket = await SocketClient.Open(server.Url, "ada");
        await socket.Next("WELCOME");
        await socket.Sync();

        var done = await server.Act("ada", "resync");

        Assert.Equal(1_000_000_000, done.GetProperty("head").GetInt64());
        var reset = await socket.Next("SYNC_RESPONSE");
        Assert.True(reset.GetProperty("reset").GetBoolean());
        var pull = await phone.Pull(token);
        Assert.True(pull.GetProperty("reset").GetBoolean());
        Assert.Equal(done.Text("syncToken"), pull.Text("syncToken"));
        Assert.Equal("e1", pull.Only("entries").Text("id"));
        await phone.PushEntry("""{"id":"e2","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        await socket.Until(frame => frame.GetRawText().Contains("\"e2\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Disconnected_sockets_are_asked_to_come_back()
    {
        await using var server = await AdminServer.Start();
        await using var socket = await SocketClient.Open(server.Url, "ada");
        await socket.Next("WELCOME");
        await using var bystander = await SocketClient.Open(server.Url, "grace");
        await bystander.Next("WELCOME");
        using var phone = server.Device("ada", "phone");
        await phone.PushEntry("""{"id":"e1","updatedAt":1}""");

        var done = await server.Act("ada", "disconnect");

        Assert.Equal(1, done.GetProperty("closed").GetInt32());
        Assert.Equal(1012, await socket.Closed());
        await bystander.Settle();
        await using var again = await SocketClient.Open(server.Url, "ada");
        await again.Next("WELCOME");
    }

    [Fact]
    public async Task A_device_is_revoked_and_a_user_signed_out_and_erased()
    {
        await using var server = await AdminServer.Start();
        using var phone = server.Device("ada", "phone/1");
        using var tablet = server.Device("ada", "tablet");
        await phone.PushEntry("""{"id":"e1","updatedAt":1}""");
        await tablet.Pull();
        await using var socket = await SocketClient.Open(server.Url, "ada");
        await socket.Next("WELCOME");

        using var revoked = await server.Send(HttpMethod.Delete, "/admin/v1/users/ada/devices/phone%2F1", "revoke");
        using var unknown = await server.Send(HttpMethod.Delete, "/admin/v1/users/ada/devices/none", "revoke");
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        await unknown.Problem(404, "NOT_FOUND");
        Assert.Equal(HttpStatusCode.Forbidden, await phone.FindStatus(HttpMethod.Get, "/api/sync/status"));
        Assert.Equal(HttpStatusCode.OK, await tablet.FindStatus(HttpMethod.Get, "/api/sync/status"));

        var erased = await server.Act("ada", "erase");
        Assert.Equal(0, (await server.User("ada")).GetProperty("entities").GetProperty("live").GetInt32());
        Assert.Equal(erased.Text("syncToken"), (await server.User("ada")).Text("syncToken"));

        await server.Act("ada", "sign-out");
        Assert.Equal(4403, await socket.Closed());
        Assert.Equal(HttpStatusCode.Unauthorized, await tablet.FindStatus(HttpMethod.Get, "/api/sync/status"));
    }

    [Fact]
    public async Task Nothing_in_a_path_writes_a_line_of_the_audit_log()
    {
        await using var server = await AdminServer.Start();
        using var phone = server.Device("ada", "phone");
        await phone.PushEntry("""{"id":"e1","updatedAt":1}""");
        const string forged = "x%0AOperator%20'root'%20did%20erase";

        foreach (var path in (string[])[$"users/ada/devices/{forged}", $"users/{forged}/devices/x", $"imports/{forged}"])
        {
            using var answer = await server.Send(HttpMethod.Delete, $"/admin/v1/{path}", path.StartsWith('i') ? "cancel" : "revoke");
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }

        Assert.Equal(2, server.Audited.Count());
        Assert.DoesNotContain(server.Audited, line => line.Contains("root", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Versions_are_shown_and_a_rewind_done_and_both_are_written_down_without_the_entity()
    {
        await using var server = await AdminServer.Start(Edge.LogsEverything);
        using var phone = server.Device(Ada, "phone");
        await phone.PushEntry("""{"id":"secret/id","notes":"first","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        await phone.PushEntry("""{"id":"secret/id","notes":"second","updatedAt":"2026-01-02T00:00:00.000Z"}""");

        var user = $"/admin/v1/users/{Uri.EscapeDataString(Ada)}";
        var history = await server.Get($"{user}/history?type=logbook_entry&entity=secret%2Fid");
        using var refused = await server.Send(HttpMethod.Post, $"{user}/rewind");
        using var rewound = await server.Send(HttpMethod.Post, $"{user}/rewind", "rewind", """{"to":"2001-01-01T00:00:00.000Z"}""");
        using var wrong = await server.Send(HttpMethod.Post, $"{user}/rewind", "rewind", """{"to":"never"}""");
        using var none = await server.Send(HttpMethod.Get, $"{user}/history?type=logbook_entry&entity=none");

        Assert.Equal(
            ["second", "first"], history.List("versions").Select(version => version.GetProperty("document").Text("notes")));
        await refused.Problem(400, "CONFIRMATION_REQUIRED");
        Assert.Equal("deleted", (await rewound.Json()).Only("items").Text("action"));
        await wrong.Problem(400, "INVALID_SHAPE");
        await none.Problem(404, "NOT_FOUND");
        Assert.Empty((await phone.Pull()).List("entries"));
        Assert.Equal(4, server.Audited.Count());
        Assert.DoesNotContain(server.Logs.Lines, line => line.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_version_is_restored_and_announced_and_the_audit_log_does_not_name_the_entity()
    {
        await using var server = await AdminServer.Start(Edge.LogsEverything);
        using var phone = server.Device(Ada, "phone");
        await phone.PushEntry("""{"id":"secret/id","notes":"first","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        await phone.PushEntry("""{"id":"secret/id","notes":"second","updatedAt":"2026-01-02T00:00:00.000Z"}""");
        await phone.PushEntry("""{"id":"secret/id","deletedAt":"2026-01-03T00:00:00.000Z"}""");
        await using var socket = await SocketClient.Open(server.Url, Ada, $"userId={Uri.EscapeDataString(Ada)}&token={Edge.Token(Ada)}");
        await socket.Next("WELCOME");
        await socket.Sync();
        var history = $"/admin/v1/users/{Uri.EscapeDataString(Ada)}/history/logbook_entry";

        using var refused = await server.Send(HttpMethod.Post, $"{history}/secret%2Fid/1/restore");
        using var other = await server.Send(HttpMethod.Post, $"{history}/secret%2Fid/1/restore", "rewind");
        Assert.Empty((await phone.Pull()).List("entries"));
        using var restored = await server.Send(HttpMethod.Post, $"{history}/secret%2Fid/1/restore", "restore");

        await refused.Problem(400, "CONFIRMATION_REQUIRED");
        await other.Problem(400, "CONFIRMATION_REQUIRED");
        Assert.Equal("created", (await restored.Json()).Only("results").Text("status"));
        Assert.Equal("first", (await phone.Pull()).Only("entries").Text("notes"));
        await socket.Until(frame => frame.GetRawText().Contains("first", StringComparison.Ordinal));
        foreach (
            var path in (string[])
            [
                $"{history}/secret%2Fid/3/restore", $"{history}/secret%2Fid/99/restore", $"{history}/secret%2Fid/x/restore",
                $"{history}/none/1/restore", $"{history}/secret/id/1/restore", "/admin/v1/users/nobody/history/goal/secret/1/restore",
            ])
        {
            using var none = await server.Send(HttpMethod.Post, path, "restore");
            await none.Problem(404, "NOT_FOUND");
        }

        Assert.Contains(server.Audited, line => line.Contains($"did restore to user '{Ada}'", StringComparison.Ordinal));
        Assert.DoesNotContain(server.Logs.Lines, line => line.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_export_is_the_users_own()
    {
        await using var server = await AdminServer.Start();
        using var phone = server.Device(Ada, "phone");
        await phone.PushEntry("""{"id":"e1","notes":"words","updatedAt":1}""");
        using var own = await phone.Send(HttpMethod.Get, "/api/sync/export");

        using var answer = await server.Send(HttpMethod.Get, $"/admin/v1/users/{Uri.EscapeDataString(Ada)}/export");

        Assert.Equal(await own.Content.ReadAsStringAsync(), await answer.Content.ReadAsStringAsync());
        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Every_action_is_written_down_with_who_did_what_to_whom_and_no_other_log_names_a_user()
    {
        await using var server = await AdminServer.Start(Edge.LogsEverything);
        using var phone = server.Device(Ada, "phone");
        await phone.PushEntry("""{"id":"e1","updatedAt":1}""");
        var id = Uri.EscapeDataString(Ada);

        foreach (var action in (string[])["resync", "disconnect", "erase"]) await server.Act(Ada, action);
        (await server.Send(HttpMethod.Get, $"/admin/v1/users/{id}/export")).Dispose();
        (await server.Send(HttpMethod.Delete, $"/admin/v1/users/{id}/devices/none", "revoke")).Dispose();
        (await server.Send(HttpMethod.Get, $"/admin/v1/users/{id}/nothing")).Dispose();
        (await server.Send(HttpMethod.Get, $"/admin/v1/./users/{id}")).Dispose();
        await server.User(Ada);

        Assert.True(await Patiently.Until(() => server.Audited.Count() == 5, Patience));
        foreach (var (line, action) in server.Audited.Zip((string[])["resync", "disconnect", "erase", "export", "revoke"]))
        {
            Assert.Contains("'op'", line, StringComparison.Ordinal);
            Assert.Contains(action, line, StringComparison.Ordinal);
            Assert.Contains(Ada, line, StringComparison.Ordinal);
        }

        var others = server.Logs.Lines.Where(line => !line.StartsWith("Mirubato.Audit", StringComparison.Ordinal));
        Assert.DoesNotContain(others, line => line.Contains(Ada, StringComparison.Ordinal) || line.Contains(id, StringComparison.Ordinal));
    }
}
