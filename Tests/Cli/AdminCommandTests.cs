using Microsoft.Extensions.DependencyInjection;
using Mirubato.Cli;
using Mirubato.Gateway.Http;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Admin;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Sockets;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Cli;

/// <summary>Each command that asks a server, against a whole server with real users.</summary>
public sealed class AdminCommandTests : IAsyncLifetime
{
    private const string Ada = "ada/is <here>";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-cli-admin-").FullName;
    private readonly FakeClock clock = new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
    private AdminServer server = null!;
    private HttpDevice phone = null!;

    private string[] Server => At(server.Url);

    private static string[] Signing => ["--set", $"Auth:Secret={Edge.Secret}", "--set", "environment=Test"];

    private string InFolder(string name) => Path.Combine(folder, name);

    public async Task InitializeAsync()
    {
        server = await AdminServer.StartAt(clock);
        phone = server.Device(Ada, "phone");
        await phone.Push("""
            "entries":[{"id":"e1","notes":"first","updatedAt":"2026-01-01T00:00:00.000Z"}],"goals":[{"id":"g1","updatedAt":1}]
            """);
    }

    public async Task DisposeAsync()
    {
        phone.Dispose();
        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Status_shows_a_healthy_cluster_with_its_figures()
    {
        clock.Advance(TimeSpan.FromSeconds(5));

        var status = await CommandLine.Json(["status", .. Server]);
        var (code, output, _) = await CommandLine.Run(["status", .. Server]);

        Assert.Equal(("healthy", 1), (status.Text("status"), status.GetProperty("silosReady").GetInt32()));
        Assert.Equal((int)ExitCode.Done, code);
        Assert.Matches(@"status\s+healthy", output);
        Assert.Matches(@"silos ready / draining / all\s+1 / 0 / 1", output);
        Assert.Matches(@"active users\s+1", output);
        Assert.Matches(@"commit p99\s+0\.\d+ s", output);
    }

    [Fact]
    public async Task A_user_is_shown_with_devices_and_conflicts_only_when_asked_for()
    {
        using var tablet = server.Device(Ada, "tablet");
        await tablet.PushEntry("""{"id":"e1","notes":"older","updatedAt":"2025-01-01T00:00:00.000Z"}""");

        var (code, output, _) = await CommandLine.Run(["user", "show", Ada, .. Server]);
        var user = await CommandLine.Json(["user", "show", Ada, .. Server]);
        var content = await CommandLine.Json(["user", "show", Ada, "--content", .. Server]);
        var (listed, devices, _) = await CommandLine.Run(["device", "list", Ada, .. Server]);

        Assert.Equal((0, 0), (code, listed));
        Assert.Matches(@"head\s+2\b", output);
        Assert.Matches(@"live / tombstones\s+2 / 0", output);
        Assert.Matches(@"recent conflicts\s+1", output);
        Assert.Matches(@"phone\s+\S+Z\s+0\s+2\b", devices);
        Assert.Contains("tablet", output, StringComparison.Ordinal);
        Assert.DoesNotContain("older", user.GetRawText(), StringComparison.Ordinal);
        Assert.Equal("older", content.Only("conflicts").GetProperty("document").Text("notes"));
        var json = await CommandLine.Json(["device", "list", Ada, .. Server]);
        Assert.Equal(["phone", "tablet"], json.List("devices").Select(device => device.Text("deviceId")).Order());
    }

    [Fact]
    public async Task A_user_is_resynchronized_disconnected_signed_out_and_erased_and_a_device_is_revoked()
    {
        await using var socket = await SocketClient.Open(server.Url, Ada);
        await socket.Next("WELCOME");
        var token = (await phone.Pull()).Text("syncToken");

        Assert.Equal(1, (await CommandLine.Json(["user", "disconnect", Ada, "--yes", .. Server])).GetProperty("closed").GetInt32());
        Assert.Equal(1012, await socket.Closed());
        var resync = await CommandLine.Json(["user", "resync", Ada, "--yes", .. Server]);
        Assert.Equal(resync.Text("syncToken"), (await phone.Pull(token)).Text("syncToken"));
        Assert.Equal("phone", (await CommandLine.Json(["device", "evict", Ada, "phone", "--yes", .. Server])).Text("device"));
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, await phone.FindStatus(HttpMethod.Get, "/api/sync/status"));
        using var tablet = server.Device(Ada, "tablet");
        await CommandLine.Json(["user", "erase", Ada, "--yes", .. Server]);
        Assert.Empty((await tablet.Pull()).List("entries"));
        clock.Advance(TimeSpan.FromMinutes(5));
        var (code, output, _) = await CommandLine.Run(["user", "sign-out", Ada, "--yes", .. Server]);
        Assert.Equal((0, $"Done: sign-out of {Ada}."), (code, output.Trim()));
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, await tablet.FindStatus(HttpMethod.Get, "/api/sync/status"));
    }

    [Fact]
    public async Task What_is_exported_after_an_erase_comes_back_by_an_import_and_the_file_is_its_owners_only()
    {
        var file = InFolder("ada.ndjson");
        var written = await CommandLine.Json(["user", "export", Ada, "--out", file, .. Server]);
        var (_, screen, _) = await CommandLine.Run(["user", "export", Ada, .. Server]);
        await CommandLine.Json(["user", "erase", Ada, "--yes", .. Server]);

        var import = await CommandLine.Json(["user", "import", Ada, file, "--yes", .. Server, .. Signing]);

        var lines = await File.ReadAllLinesAsync(file);
        Assert.Equal(screen, await File.ReadAllTextAsync(file));
        Assert.Equal(new FileInfo(file).Length, written.GetProperty("bytes").GetInt64());
        Assert.Equal((lines.Length, 0), (import.GetProperty("lines").GetInt32(), import.List("notTaken").Count));
        Assert.Equal("first", (await phone.Pull()).Only("entries").Text("notes"));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task An_import_waits_as_long_as_the_server_says()
    {
        await using var slow = await AdminServer.Start("--Limits:RequestsPerSecond=10", "--Limits:RequestBurst=20");
        var file = InFolder("ada.ndjson");
        await CommandLine.Json(["user", "export", Ada, "--out", file, .. Server]);
        slow.Server.Services.GetRequiredService<UserRates>().Charge(new UserId(Ada), 40);

        var import = await CommandLine.Json(["user", "import", Ada, file, "--yes", .. At(slow.Url), .. Signing]);

        Assert.Equal((File.ReadLines(file).Count(), 0), (import.GetProperty("lines").GetInt32(), import.List("notTaken").Count));
    }

    [Fact]
    public async Task An_export_that_fails_leaves_the_one_before_and_nothing_else()
    {
        var file = InFolder("export.ndjson");
        await File.WriteAllTextAsync(file, "the one before");

        var (code, _, error) = await CommandLine.Run(["user", "export", "nobody", "--out", file, .. Server]);

        Assert.Equal(((int)ExitCode.Failed, "There is no such user."), (code, error.Trim()));
        Assert.Equal("the one before", await File.ReadAllTextAsync(file));
        Assert.Equal([file], Directory.GetFiles(folder));
    }

    [Fact]
    public async Task An_export_from_the_store_of_a_stopped_server_is_the_one_of_the_server()
    {
        string[] store = [.. Signing, "--set", $"Storage:SqlitePath={InFolder("sync.db")}", "--store"];
        string asked;
        await using (
            var other = await LiveServer.Start($"--Storage:SqlitePath={InFolder("sync.db")}", $"--Admin:Secret={AdminServer.Secret}"))
        {
            using var device = other.Device("grace", "phone");
            foreach (var notes in (string[])["a", "b", "ü €"])
                await device.PushEntry($$"""{"id":"e","notes":"{{notes}}","updatedAt":"2026-01-0{{notes.Length}}T00:00:00.000Z"}""");
            asked = (await CommandLine.Run(["user", "export", "grace", .. At(other.Url)])).Out;
            var (running, _, lockedBy) = await CommandLine.Run(["user", "export", "grace", .. store]);
            Assert.Equal(((int)ExitCode.Failed, true), (running, lockedBy.Contains("Another process uses", StringComparison.Ordinal)));
        }

        await CommandLine.Json(["user", "export", "grace", "--out", InFolder("grace.ndjson"), .. store]);
        var (code, _, error) = await CommandLine.Run(["user", "export", "nobody", .. store]);

        Assert.Contains("ü €", asked, StringComparison.Ordinal);
        Assert.Equal(asked, await File.ReadAllTextAsync(InFolder("grace.ndjson")));
        Assert.Equal(((int)ExitCode.Failed, "There is no such user."), (code, error.Trim()));
    }

    [Fact]
    public async Task A_user_is_rewound_after_a_look_at_what_it_would_do_and_versions_are_shown()
    {
        clock.Advance(TimeSpan.FromMinutes(30));
        var before = clock.GetUtcNow().ToString("o");
        clock.Advance(TimeSpan.FromMinutes(30));
        await phone.Push("""
            "entries":[{"id":"e1","notes":"a mistake","updatedAt":"2026-02-01T00:00:00.000Z"}],
            "goals":[{"id":"g1","deletedAt":"2026-02-01T00:00:00.000Z"}]
            """);

        var planned = await CommandLine.Json(["user", "rewind", Ada, before, "--type", "logbook_entry", "--dry-run", .. Server]);
        Assert.Equal(("changed", "e1"), (planned.Only("items").Text("action"), planned.Only("items").Text("entityId")));
        Assert.Equal("a mistake", (await phone.Pull()).Only("entries").Text("notes"));
        var (code, output, _) = await CommandLine.Run(["user", "rewind", Ada, before, "--device", "phone", "--yes", .. Server]);
        var history = await CommandLine.Json(["user", "history", Ada, "logbook_entry", "e1", .. Server]);
        var (shown, table, _) = await CommandLine.Run(["user", "history", Ada, "logbook_entry", "e1", .. Server]);

        Assert.Equal((0, 0), (code, shown));
        Assert.Matches(@"changed\s+logbook_entry e1", output);
        Assert.Matches(@"restored\s+goal g1|changed\s+goal g1", output);
        Assert.Equal("first", (await phone.Pull()).Only("entries").Text("notes"));
        Assert.Equal(
            ["first", "a mistake", "first"], history.List("versions").Select(version => version.GetProperty("document").Text("notes")));
        Assert.Contains("(now)", table, StringComparison.Ordinal);
        var (wrong, _, error) = await CommandLine.Run(["user", "rewind", Ada, "yesterday", "--yes", .. Server]);
        Assert.Equal(((int)ExitCode.Failed, true), (wrong, error.Contains("$.to", StringComparison.Ordinal)));
        Assert.Equal(2, server.Audited.Count(line => line.Contains("did rewind to user", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_version_is_stored_again()
    {
        await phone.PushEntry("""{"id":"e1","notes":"second","updatedAt":"2026-02-01T00:00:00.000Z"}""");
        var history = await CommandLine.Json(["user", "history", Ada, "logbook_entry", "e1", .. Server]);
        var first = history.List("versions")[^1].GetProperty("version").GetInt64();

        var (code, output, error) = await CommandLine.Run(["user", "restore", Ada, "logbook_entry", "e1", $"{first}", "--yes", .. Server]);
        var (none, _, says) = await CommandLine.Run(["user", "restore", Ada, "logbook_entry", "e1", "99", "--yes", .. Server]);

        Assert.True(code == 0, error);
        Assert.Equal($"Done: logbook_entry e1 is as in version {first} (updated).", output.Trim());
        Assert.Equal("first", (await phone.Pull()).Only("entries").Text("notes"));
        Assert.Equal(((int)ExitCode.Failed, true), (none, says.StartsWith("There is no such entity or version", StringComparison.Ordinal)));
        Assert.Single(server.Audited, line => line.Contains("did restore to user", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_silo_is_listed_drained_until_it_is_empty_and_taken_back()
    {
        await using var socket = await SocketClient.Open(server.Url, Ada);
        await socket.Next("WELCOME");
        var silo = (await CommandLine.Json(["node", "list", .. Server])).Only("silos");
        var (listed, list, _) = await CommandLine.Run(["node", "list", .. Server]);
        Assert.Equal(0, listed);
        Assert.Matches($@"{silo.Text("name")}\s+{silo.Text("address")}\s+active\s+\S+\s+yes\s+1\s+1\b", list);

        var draining = CommandLine.Run(["node", "drain", silo.Text("address")!, "--yes", .. Server]);
        await Patiently.Until(
            () =>
            {
                // Sockets close over two seconds of the server's clock.
                clock.Advance(TimeSpan.FromMilliseconds(200));
                return draining.IsCompleted;
            }, Patience);
        var (code, output, error) = await draining;
        Assert.True(code == 0, error);
        Assert.Contains("stop its process", output, StringComparison.Ordinal);
        Assert.Equal(1012, await socket.Closed());
        var status = await CommandLine.Json(["status", .. Server]);
        Assert.Equal(("degraded", 1), (status.Text("status"), status.GetProperty("silosDraining").GetInt32()));
        Assert.Contains("drained", (await CommandLine.Run(["node", "list", .. Server])).Out, StringComparison.Ordinal);
        var back = await CommandLine.Json(["node", "resume", silo.Text("name")!, "--yes", .. Server]);
        Assert.False(back.GetProperty("draining").GetBoolean());
    }

    [Fact]
    public async Task A_drain_that_does_not_end_in_time_fails_and_says_so()
    {
        await using var socket = await SocketClient.Open(server.Url, Ada);
        await socket.Next("WELCOME");
        var name = (await CommandLine.Json(["node", "list", .. Server])).Only("silos").Text("name")!;

        // The server's clock stands still, and with it the closing of sockets.
        var (code, _, error) = await CommandLine.Run(["node", "drain", name, "--yes", "--wait", "1", .. Server]);

        Assert.Equal((int)ExitCode.Failed, code);
        Assert.Contains("--wait", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_changes_something_sends_nothing_without_confirmation()
    {
        foreach (
            var command in (string[][])
            [
                ["user", "erase", Ada], ["user", "resync", Ada], ["user", "disconnect", Ada], ["user", "sign-out", Ada],
                ["user", "rewind", Ada, "2026-01-01"], ["user", "restore", Ada, "goal", "g1", "1"], ["user", "import", Ada, "file"], ["device", "evict", Ada, "phone"],
                ["node", "drain", "Silo_1"],
            ])
        {
            var (code, _, error) = await CommandLine.Run([.. command, .. Server]);
            Assert.Equal((int)ExitCode.Usage, code);
            Assert.Contains("--yes", error, StringComparison.Ordinal);
        }

        Assert.Empty(server.Audited);
    }

    [Fact]
    public async Task A_404_ends_the_command_with_exit_code_1_and_the_servers_message()
    {
        foreach (
            var (sentence, command) in ((string, string[])[])
            [
                ("There is no such user.", ["user", "show", "nobody"]),
                ("There is no such user.", ["user", "resync", "nobody", "--yes"]),
                ("There is no such user.", ["user", "rewind", "nobody", "2026-01-01", "--yes"]),
                ("The user has no such device.", ["device", "evict", Ada, "none", "--yes"]),
                ("There is no such silo", ["node", "drain", "none", "--yes"]),
                ("There is no such import", ["import", "show", "none"]),
                ("There is no such import", ["import", "cancel", "none"]),
                ("There is no such entity", ["user", "history", Ada, "goal", "none"]),
            ])
        {
            var (code, _, error) = await CommandLine.Run([.. command, .. Server]);
            Assert.Equal((int)ExitCode.Failed, code);
            Assert.StartsWith(sentence, error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_wrong_secret_is_4_and_an_address_without_an_Admin_API_is_3()
    {
        var (wrong, _, _) = await CommandLine.Run("status", "--server", $"{server.Url}", "--secret", "another secret of length");
        await using var without = await LiveServer.Start($"--Storage:SqlitePath={InFolder("none.db")}");
        var (none, _, error) = await CommandLine.Run(["status", .. At(without.Url)]);

        Assert.Equal(((int)ExitCode.Refused, (int)ExitCode.Unreachable), (wrong, none));
        Assert.Contains("Admin:Secret", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_that_has_to_wait_its_turn_is_not_taken_for_a_wrong_secret()
    {
        using var other = ((UserConcurrency)server.Server.Services.GetService(typeof(UserConcurrency))!).Long(new(Ada));

        var (code, _, error) = await CommandLine.Run(["user", "erase", Ada, "--yes", .. Server]);

        Assert.Equal((int)ExitCode.Failed, code);
        Assert.Contains("Another long call", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_store_is_away_the_cluster_is_shown_as_unhealthy_and_ends_with_1()
    {
        var own = await PostgresCluster.StartOwn(fsync: true);
        try
        {
            await using var cluster = await AdminServer.Over(await own.FreshDatabase());
            await CommandLine.Json(["status", .. At(cluster.Url)]);
            await own.Kill();

            var (code, output, error) = await CommandLine.Run(["status", .. At(cluster.Url)]);

            Assert.True(code == (int)ExitCode.Failed, $"{code} {error}");
            Assert.Matches(@"status\s+unhealthy", output);
            Assert.Matches(@"store\s+postgres (unreachable|timeout)", output);
            await own.Start();
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    private static string[] At(Uri url) => ["--server", $"{url}", "--secret", AdminServer.Secret];
}
