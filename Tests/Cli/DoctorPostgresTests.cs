using Mirubato.Bench;
using Mirubato.Cli.Doctor;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;
using Npgsql;

namespace Mirubato.Tests.Cli;

/// <summary>A PostgreSQL of their own, whose settings these tests spoil.</summary>
public sealed class OwnPostgres : IAsyncLifetime
{
    public PostgresCluster Cluster { get; private set; } = null!;

    public async Task InitializeAsync() => Cluster = await PostgresCluster.StartOwn(fsync: true);

    public Task DisposeAsync() => Cluster.DisposeAsync();
}

/// <summary>Faults of the database and of the cluster, each planted and found.</summary>
public sealed class DoctorPostgresTests(OwnPostgres postgres) : IClassFixture<OwnPostgres>, IAsyncLifetime
{
    /// <summary>A reload reaches new sessions a moment later.</summary>
    private const int TriesMax = 500;

    private string database = "";

    public async Task InitializeAsync()
    {
        database = await postgres.Cluster.FreshDatabase();
        await Silo.GrainStateDatabase.Migrate(database);
    }

    public async Task DisposeAsync()
    {
        await Run("ALTER SYSTEM RESET ALL");
        await Run("SELECT pg_reload_conf()");
    }

    private string Setting => $"--Storage:Postgres={database}";

    [Fact]
    public async Task A_sound_cluster_is_green_throughout()
    {
        await using var server = await LiveServer.Start(Setting);
        var findings = await Patient.Examine(server.Url, one => one, Setting);
        findings.AllAreGreen();
        Assert.Equal(
            ["bodies", "clock", "configuration", "connections", "digest", "durability", "open files", "postgres", "ready", "schema", "silos", "version",
                "websocket"],
            findings.Select(finding => finding.Check).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_database_that_is_not_reached() =>
        (await Patient.Examine($"--Storage:Postgres=Host=127.0.0.1;Port={FreePort.Next()};Database=x;Username=x"))
            .Shows(Light.Red, "postgres", "cannot be reached", "Start it, and check host, port");

    [Theory]
    [InlineData("full_page_writes", "ALTER SYSTEM SET full_page_writes = on")]
    [InlineData("synchronous_commit", "ALTER DATABASE … RESET synchronous_commit")]
    public async Task A_database_that_does_not_keep_what_it_acknowledges(string setting, string remedy)
    {
        await Run($"ALTER SYSTEM SET {setting} = off");
        await Run("SELECT pg_reload_conf()");
        for (var tries = 0; tries < TriesMax && await Run($"SHOW {setting}") is not "off"; tries++) { }

        var findings = await Patient.Examine(Setting);

        findings.Shows(Light.Red, "durability", $"{setting} is off", remedy);
        Assert.Single(findings, finding => finding.Light is Light.Red);
    }

    [Fact]
    public async Task A_database_that_never_flushes()
    {
        var careless = await PostgresCluster.StartOwn(fsync: false);
        try
        {
            var findings = await Patient.Examine($"--Storage:Postgres={await careless.FreshDatabase()}");
            findings.Shows(Light.Red, "durability", "fsync is off", "ALTER SYSTEM SET fsync = on");
        }
        finally
        {
            await careless.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_database_that_takes_no_writes()
    {
        await Run("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$");
        (await Patient.Examine(Setting)).Shows(
            Light.Red, "postgres", "takes no writes", "RESET default_transaction_read_only");
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(-2, true)]
    [InlineData(0.2, false)]
    public async Task Clocks_that_differ(double minutes, bool isRed)
    {
        var findings = await Patient.Examine(
            null, one => one with { Time = new ShiftedClock(TimeSpan.FromMinutes(minutes)) }, Setting);
        findings.Shows(isRed ? Light.Red : Light.Amber, "clock", minutes > 0 ? "s behind this machine's" : "s ahead of this machine's", "NTP");
    }

    [Fact]
    public async Task A_pool_that_the_database_has_no_room_for() =>
        (await Patient.Examine($"{Setting};Maximum Pool Size=5000")).Shows(
            Light.Red, "connections", "may open 5005 connections", "Raise max_connections");

    [Fact]
    public async Task A_schema_of_a_newer_release()
    {
        await Run("INSERT INTO schema_migrations (version, name) VALUES (999, '999_future')");
        (await Patient.Examine(Setting)).Shows(Light.Red, "schema", "version 999", "restore a backup taken before the upgrade");
    }

    [Fact]
    public async Task An_empty_database()
    {
        database = await postgres.Cluster.FreshDatabase();
        (await Patient.Examine(Setting)).Shows(Light.Amber, "schema", "is empty", "mirubato migrate");
    }

    [Fact]
    public async Task A_silo_that_the_others_cannot_reach()
    {
        var port = FreePort.Next();
        await Join("mirubato", port);
        (await Patient.Examine(Setting)).Shows(Light.Red, "silos", $"is not reached on 127.0.0.1:{port}", "Open Silo:Port");
    }

    [Fact]
    public async Task Two_clusters_over_one_database()
    {
        await Join("mirubato", FreePort.Next());
        await Join("another", FreePort.Next());
        (await Patient.Examine(Setting)).Shows(Light.Red, "silos", "2 clusters share the database: another, mirubato", "Silo:ClusterId");
    }

    private Task<object?> Join(string cluster, int port) => Run($"""
        INSERT INTO silo_lists (cluster_id) VALUES ('{cluster}');
        INSERT INTO silo_members (cluster_id, address, port, generation, silo_name, host_name, status, started_at, alive_at)
        VALUES ('{cluster}', '127.0.0.1', {port}, 1, 'silo of {cluster}', 'host', 3, now(), now())
        """);

    private async Task<object?> Run(string sql)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>A machine whose clock is wrong by so much.</summary>
    private sealed class ShiftedClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
