using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;
using Npgsql;

namespace Mirubato.Tests.EndToEnd;

/// <summary>A store that can be read and not written: reads go on, writes say why they do not, and health says so.</summary>
[Collection(SharesPostgres.Name)]
public sealed class ReadOnlyStoreTests(PostgresCluster cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Reads_go_on_while_the_database_is_read_only()
    {
        var database = await cluster.FreshDatabase();
        await using var server = await LiveServer.Start($"--Storage:Postgres={database}");
        using var laptop = server.Device("ada", "laptop");
        await laptop.PushEntry("""{"id":"e","notes":"stored"}""");
        try
        {
            await SetReadOnly(database, true);
            await AssertReadsOnly(server, "read_only");
        }
        finally
        {
            await SetReadOnly(database, false);
        }
    }

    [NeedsTmpfsFact]
    public async Task Reads_go_on_while_the_disk_is_full()
    {
        var directory = Directory.CreateTempSubdirectory("mirubato-full-").FullName;
        NeedsTmpfsFactAttribute.Run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", directory);
        try
        {
            await using var server = await LiveServer.Start($"--Storage:SqlitePath={Path.Combine(directory, "mirubato.db")}");
            using var laptop = server.Device("ada", "laptop");
            await laptop.PushEntry("""{"id":"e","notes":"stored"}""");
            for (var i = 0; await laptop.FindStatus(HttpMethod.Post, "/api/sync/push", Large(i)) is HttpStatusCode.OK; i++) { }
            await AssertReadsOnly(server, "full");
        }
        finally
        {
            NeedsTmpfsFactAttribute.Run("umount", "-l", directory);
            Directory.Delete(directory);
        }
    }

    private static async Task AssertReadsOnly(LiveServer server, string reason)
    {
        using var laptop = server.Device("ada", "laptop");
        using var health = new HttpClient { BaseAddress = server.Url };
        var clock = Stopwatch.StartNew();
        // Connections of before are found broken one by one, and health is asked once a second.
        while (await Reason(laptop) != reason || await Health(health) != (HttpStatusCode.OK, "degraded", reason))
        {
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, Patience);
        }

        foreach (var name in (string?[])["laptop", "never seen before", null])
        {
            using var device = server.Device("ada", name);
            Assert.Contains("stored", (await device.Pull()).List("entries").Select(entry => entry.Text("notes")));
            foreach (
                var path in (string[])["/api/sync/status", "/api/sync/devices", "/api/sync/conflicts", "/api/goals", "/api/sync/export"])
                Assert.Equal(HttpStatusCode.OK, await device.FindStatus(HttpMethod.Get, path));
        }
    }

    private static async Task<string?> Reason(HttpDevice device)
    {
        using var refused = await device.Send(HttpMethod.Post, "/api/sync/push", Large(-1));
        return (await refused.Problem(503, "STORE_UNAVAILABLE")).Text("reason");
    }

    private static async Task<(HttpStatusCode, string?, string?)> Health(HttpClient client)
    {
        using var response = await client.GetAsync("/health/ready");
        var answer = await response.Json();
        return (response.StatusCode, answer.Text("status"), answer.TryGetProperty("reason", out var reason) ? reason.GetString() : null);
    }

    private static string Large(int i) =>
        $"{{\"changes\":{{\"entries\":[{{\"id\":\"large{i}\",\"notes\":\"{new string('n', 200_000)}\"}}]}}}}";

    private static async Task SetReadOnly(string database, bool readOnly)
    {
        var settings = new NpgsqlConnectionStringBuilder(database) { Pooling = false };
        var name = settings.Database;
        settings.Database = "postgres";
        await using var connection = new NpgsqlConnection(settings.ToString());
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            $"ALTER DATABASE {name} SET default_transaction_read_only = "
            + $"{(readOnly ? "on" : "off")}; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'", connection);
        await command.ExecuteNonQueryAsync();
    }
}

/// <summary>Runs where a file system can be mounted, which takes root.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NeedsTmpfsFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> Mounts = new(CanMount);

    public NeedsTmpfsFactAttribute()
    {
        if (!Mounts.Value) Skip = "A tmpfs cannot be mounted here: run the tests as root, with the right to mount.";
    }

    public static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments))!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new Win32Exception($"{program} ended with {process.ExitCode}.");
    }

    private static bool CanMount()
    {
        var directory = Directory.CreateTempSubdirectory("mirubato-mount-").FullName;
        try
        {
            Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory);
            Run("umount", directory);
            return true;
        }
        catch (Win32Exception)
        {
            return false;
        }
        finally
        {
            Directory.Delete(directory);
        }
    }
}
