using System.Diagnostics;
using System.Globalization;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Cli;

/// <summary>A restore that is killed when the backup stands in the store's place, and before users have new epochs.</summary>
[Collection(SharesPostgres.Name)]
public sealed class KilledRestoreTests(PostgresCluster postgres) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-killed-restore-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Backup => Path.Combine(folder, "backup");

    [Fact]
    public async Task Over_SQLite_the_next_start_gives_every_user_a_new_epoch()
    {
        var storage = $"Storage:SqlitePath={Path.Combine(folder, "sync.db")}";
        var token = await Prepare(storage);
        using var watcher = new FileSystemWatcher(folder, "sync.db.before-*");
        var isInPlace = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Created += (_, _) => isInPlace.TrySetResult();
        watcher.EnableRaisingEvents = true;

        using (var restore = Restore(storage))
        {
            await isInPlace.Task.WaitAsync(Patience);
            await Kill(restore);
        }

        await AssertNoOldEpoch(storage, token);
    }

    [Fact]
    public async Task Over_PostgreSQL_the_next_start_gives_every_user_a_new_epoch()
    {
        if (OperatingSystem.IsWindows()) return;
        var storage = $"Storage:Postgres={await postgres.FreshDatabase()}";
        var token = await Prepare(storage);
        var restored = Path.Combine(folder, "restored");
        LetRestoreHang(restored);

        using (var restore = Restore(storage))
        {
            Assert.True(await Patiently.Until(() => File.Exists(restored) || restore.HasExited, Patience));
            Assert.False(restore.HasExited);
            await Kill(restore);
            Signals.Send(int.Parse(await File.ReadAllTextAsync(restored), CultureInfo.InvariantCulture), Signal.Kill);
        }

        await AssertNoOldEpoch(storage, token);
    }

    /// <summary>A store with a backup and with a change that the backup lacks. Answers the token of a device that has both.</summary>
    private async Task<string> Prepare(string storage)
    {
        await using var server = await LiveServer.Start($"--{storage}");
        using var phone = server.Device("ada", "phone");
        await phone.Push("\"goals\":[{\"id\":\"kept\",\"updatedAt\":1}]");
        await CommandLine.Json(["backup", Backup, .. Settings(storage)]);
        await phone.Push("\"goals\":[{\"id\":\"lost\",\"updatedAt\":1}]");
        return (await phone.Pull()).Text("syncToken")!;
    }

    /// <summary>If it was killed an instant too early, the store is as it was.</summary>
    private static async Task AssertNoOldEpoch(string storage, string token)
    {
        await using var server = await LiveServer.Start($"--{storage}");
        using var phone = server.Device("ada", "phone");
        var pulled = await phone.Pull(token);
        if (pulled.Text("syncToken") == token) return;
        Assert.Equal("kept", pulled.Only("goals").Text("id"));
        Assert.NotEqual(token.Split('.')[0], pulled.Text("syncToken")!.Split('.')[0]);
        var answer = await phone.Push("\"goals\":[{\"id\":\"new\",\"updatedAt\":1}]");
        Assert.True(answer.Only("results").GetProperty("seq").GetInt64() > 1_000_000_000);
    }

    private Process Restore(string storage)
    {
        var start = new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "mirubato.dll"), "restore", Backup, "--yes", .. Settings(storage)])
        {
            WorkingDirectory = folder,
        };
        start.Environment["PATH"] = $"{folder}{Path.PathSeparator}{Environment.GetEnvironmentVariable("PATH")}";
        return Process.Start(start)!;
    }

    private static async Task Kill(Process process)
    {
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(Patience);
    }

    /// <summary>A pg_restore that does its work, says its id in a file and does not end.</summary>
    private void LetRestoreHang(string restored)
    {
        var real = Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
            .Select(directory => Path.Combine(directory, "pg_restore"))
            .First(File.Exists);
        var script = Path.Combine(folder, "pg_restore");
        File.WriteAllText(script, $$"""
            #!/bin/sh
            "{{real}}" "$@" || exit $?
            [ "$1" = --list ] && exit 0
            echo $$ > "{{restored}}.part" && mv "{{restored}}.part" "{{restored}}"
            exec sleep 600

            """);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string[] Settings(string storage) =>
        ["--set", storage, "--set", $"Auth:Secret={Edge.Secret}", "--set", "environment=Test"];
}
