using System.Diagnostics;
using Mirubato.Bench;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Support;
using Npgsql;

namespace Mirubato.Tests.EndToEnd;

/// <summary>The server behind a real PgBouncer in session mode.</summary>
[Collection(SharesPostgres.Name)]
public sealed class PgBouncerTests(PostgresCluster cluster)
{
    [NeedsPgBouncerFact]
    public async Task A_server_behind_PgBouncer_starts_and_syncs()
    {
        await using var bouncer = await PgBouncer.Before(await cluster.FreshDatabase());
        await using var server = await LiveServer.Start($"--Storage:Postgres={bouncer.ConnectionString}");
        using var phone = server.Device("ada", "phone");

        for (var i = 0; i < 3; i++) await phone.PushEntry($"{{\"id\":\"e{i}\",\"notes\":\"through the pooler\"}}");

        Assert.Equal(3, (await phone.Pull()).List("entries").Count);
        Assert.Equal("phone", (await phone.Get("/api/sync/devices")).Only("devices").Text("deviceId"));
    }

    [NeedsPgBouncerFact]
    public async Task Each_session_has_its_settings_behind_PgBouncer_too()
    {
        await using var bouncer = await PgBouncer.Before(await cluster.FreshDatabase());
        await using var source = PostgresStore.Source(bouncer.ConnectionString, new PostgresOptions(CommandSecondsMax: 7));
        await using var one = await source.OpenConnectionAsync();
        await using var two = await source.OpenConnectionAsync();
        foreach (var connection in (NpgsqlConnection[])[one, two])
        {
            foreach (
                var (setting, value) in ((string, string)[])
                [
                    ("statement_timeout", "7s"), ("enable_seqscan", "off"), ("plan_cache_mode", "force_generic_plan"),
                ])
            {
                await using var command = new NpgsqlCommand($"SHOW {setting}", connection);
                Assert.Equal(value, await command.ExecuteScalarAsync());
            }
        }
    }
}

/// <summary>A PgBouncer of the test's own, on a free port, which ends with it.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-pgbouncer-").FullName;
    private readonly Process process;

    private PgBouncer(NpgsqlConnectionStringBuilder server)
    {
        var port = FreePort.Next();
        var file = Path.Combine(directory, "pgbouncer.ini");
        File.WriteAllText(file, $"""
            [databases]
            * = host={server.Host} port={server.Port} user={server.Username}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = session
            max_client_conn = 200
            default_pool_size = 100
            """);
        // It refuses to run as root.
        string[] command = Environment.UserName == "root" ? ["-u", "postgres", file] : [file];
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(
                directory,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                    | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }
        process = Process.Start(new ProcessStartInfo(NeedsPgBouncerFactAttribute.Program!, ["-q", .. command]))!;
        ConnectionString = new NpgsqlConnectionStringBuilder(server.ToString()) { Host = "127.0.0.1", Port = port }.ToString();
    }

    public string ConnectionString { get; }

    public static async Task<PgBouncer> Before(string database)
    {
        var bouncer = new PgBouncer(new NpgsqlConnectionStringBuilder(database));
        Assert.True(await Patiently.Until(bouncer.Listens, Patience), "PgBouncer did not start.");
        return bouncer;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private bool Listens()
    {
        try
        {
            using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ToString());
            connection.Open();
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }
}

/// <summary>Runs where PgBouncer is. <c>./test</c> installs it where that is allowed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NeedsPgBouncerFactAttribute : FactAttribute
{
    public static readonly string? Program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin")
        .Select(place => Path.Combine(place, "pgbouncer")).FirstOrDefault(File.Exists);

    public NeedsPgBouncerFactAttribute()
    {
        if (Program is null) Skip = "PgBouncer is missing and could not be installed (Debian, Ubuntu: apt-get install pgbouncer).";
    }
}
