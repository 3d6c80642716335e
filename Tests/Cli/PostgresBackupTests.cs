using Mirubato.Cli;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Cli;

[Collection(SharesPostgres.Name)]
public sealed class PostgresBackupTests(PostgresCluster postgres) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-cli-pg-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_backup_of_a_running_server_is_restored_to_an_empty_database_and_devices_start_over()
    {
        var (database, other) = (await postgres.FreshDatabase(), await postgres.FreshDatabase());
        var file = Path.Combine(folder, "backup.dump");
        string? token;
        await using (var server = await LiveServer.Start($"--Storage:Postgres={database}"))
        {
            using var phone = server.Device("ada", "phone");
            await phone.Push("\"goals\":[{\"id\":\"kept\",\"updatedAt\":1}]");
            token = (await phone.Pull()).Text("syncToken");
            await CommandLine.Json(["backup", file, .. Settings(database)]);
            var (code, _, error) = await CommandLine.Run(["restore", file, "--yes", .. Settings(database)]);
            Assert.Equal((int)ExitCode.Failed, code);
            Assert.Contains("stop all of them first", error, StringComparison.Ordinal);
        }

        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(1, (await CommandLine.Json(["restore", file, "--yes", .. Settings(other)])).GetProperty("users").GetInt64());

        await using var again = await LiveServer.Start($"--Storage:Postgres={other}");
        using var same = again.Device("ada", "phone");
        var pulled = await same.Pull(token);
        Assert.True(pulled.GetProperty("reset").GetBoolean());
        Assert.Equal("kept", pulled.Only("goals").Text("id"));
    }

    [Fact]
    public async Task A_backup_that_fails_leaves_no_file()
    {
        var file = Path.Combine(folder, "backup.dump");
        var (code, _, error) = await CommandLine.Run(["backup", file, .. Settings(await postgres.FreshDatabase() + "-none")]);
        Assert.Equal((int)ExitCode.Failed, code);
        Assert.StartsWith("pg_dump failed", error, StringComparison.Ordinal);
        Assert.False(File.Exists(file));
    }

    private static string[] Settings(string database) =>
        ["--set", $"Storage:Postgres={database}", "--set", $"Auth:Secret={Edge.Secret}", "--set", "environment=Test"];
}
