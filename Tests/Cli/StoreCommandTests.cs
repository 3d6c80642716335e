using Mirubato.Cli;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Cli;

/// <summary>What is done without a server, or beside one.</summary>
public sealed class StoreCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-cli-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Database => Path.Combine(folder, "sync.db");

    private string Backup => Path.Combine(folder, "backup.db");

    private string[] Settings =>
        ["--set", $"Storage:SqlitePath={Database}", "--set", $"Auth:Secret={Edge.Secret}", "--set", "environment=Test"];

    private string Setting => $"--Storage:SqlitePath={Database}";

    [Fact]
    public async Task A_store_is_made_and_swept_without_a_server()
    {
        Assert.Equal(1, (await CommandLine.Json(["migrate", .. Settings])).GetProperty("schema").GetInt64());
        Assert.Equal(0, (await CommandLine.Json(["sweep", .. Settings])).GetProperty("removed").GetInt64());
    }

    [Fact]
    public async Task A_token_counts_at_the_server()
    {
        var token = (await CommandLine.Json(["token", "ada", .. Settings])).Text("token");
        await using var server = await LiveServer.Start(Setting);
        using var device = server.Device("nobody", "phone");
        device.Token = token!;
        await device.Push("\"goals\":[{\"id\":\"g\",\"updatedAt\":1}]");
        using var same = server.Device("ada", "tablet");
        Assert.Equal("g", (await same.Pull()).Only("goals").Text("id"));
    }

    [Fact]
    public async Task A_backup_taken_while_the_server_writes_is_restored_and_devices_end_equal_to_the_store()
    {
        string? token;
        await using (var server = await LiveServer.Start(Setting))
        {
            using var phone = server.Device("ada", "phone");
            await phone.Push("\"goals\":[{\"id\":\"kept\",\"updatedAt\":1}]");
            var writing = Task.WhenAll(Enumerable.Range(0, 20).Select(i => phone.Push($"\"goals\":[{{\"id\":\"g{i}\",\"updatedAt\":1}}]")));
            await CommandLine.Json(["backup", Backup, .. Settings]);
            await writing;
            await phone.Push("\"goals\":[{\"id\":\"lost\",\"updatedAt\":1}]");
            token = (await phone.Pull()).Text("syncToken");
            var (code, _, error) = await CommandLine.Run(["restore", Backup, "--yes", .. Settings]);
            Assert.Equal(((int)ExitCode.Failed, true), (code, error.Contains("stop it first", StringComparison.Ordinal)));
        }

        // As a copy that came from elsewhere may be.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Backup, File.GetUnixFileMode(Backup) | UnixFileMode.OtherRead);
        var restored = await CommandLine.Json(["restore", Backup, "--yes", .. Settings]);

        Assert.Equal(1, restored.GetProperty("users").GetInt64());
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Database));
        Assert.True(File.Exists(restored.Text("before")));
        await using var again = await LiveServer.Start(Setting);
        using var same = again.Device("ada", "phone");
        var pulled = await same.Pull(token);
        Assert.True(pulled.GetProperty("reset").GetBoolean());
        var goals = pulled.List("goals").Select(goal => goal.Text("id")).ToList();
        Assert.Contains("kept", goals);
        Assert.DoesNotContain("lost", goals);
        var answer = await same.Push("\"goals\":[{\"id\":\"lost\",\"updatedAt\":1}]");
        Assert.True(answer.Only("results").GetProperty("seq").GetInt64() > 1_000_000_000);
    }

    [Fact]
    public async Task A_file_that_is_no_backup_leaves_the_store_as_it_was()
    {
        await CommandLine.Json(["migrate", .. Settings]);
        var before = await File.ReadAllBytesAsync(Database);
        await File.WriteAllTextAsync(Backup, "no database");

        var (code, _, error) = await CommandLine.Run(["restore", Backup, "--yes", .. Settings]);

        Assert.Equal((int)ExitCode.Failed, code);
        Assert.Contains("name another file", error, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(Database));
    }

    [Fact]
    public async Task A_command_that_cannot_be_undone_asks_for_confirmation()
    {
        await File.WriteAllTextAsync(Backup, "");
        var (code, _, error) = await CommandLine.Run(["restore", Backup, .. Settings]);
        Assert.Equal((int)ExitCode.Usage, code);
        Assert.Contains("--yes", error, StringComparison.Ordinal);
        Assert.False(File.Exists(Database));
    }

    [Fact]
    public async Task Doctor_ends_with_1_when_something_is_red()
    {
        var (code, output, _) = await CommandLine.Run(
            "doctor", "--json", "--set", "Auth:Secret=short", "--set", $"Storage:SqlitePath={Database}", "--set", "environment=Test");
        Assert.Equal((int)ExitCode.Failed, code);
        Assert.Contains("\"light\": \"red\"", output, StringComparison.Ordinal);
        (code, output, _) = await CommandLine.Run(["doctor", .. Settings]);
        Assert.Equal((int)ExitCode.Done, code);
        Assert.Contains("→", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData((int)ExitCode.Usage, "nonsense")]
    [InlineData((int)ExitCode.Usage, "status", "--server", "not an address", "--secret", "x")]
    [InlineData((int)ExitCode.Unreachable, "status", "--server", "http://127.0.0.1:1", "--secret", "x")]
    [InlineData((int)ExitCode.Usage, "migrate", "--set", "Storage")]
    public async Task Each_kind_of_failure_has_its_exit_code(int expected, params string[] args)
    {
        var (code, _, error) = await CommandLine.Run(args);
        Assert.Equal(expected, code);
        Assert.NotEmpty(error);
    }
}
