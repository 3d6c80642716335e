using System.Globalization;
using Mirubato.Grains;
using Npgsql;

namespace Mirubato.Cli.Doctor;

/// <summary>The database: whether it is reached, keeps what it acknowledges, and has room for the server's connections.</summary>
internal static class PostgresChecks
{
    private const string Check = "postgres";
    private const int VersionMin = 15;
    private const int PoolNpgsql = 100;
    private const int OrleansConnections = 5;
    private const double SkewAmber = 5;
    private const double SkewRed = 60;

    /// <summary>A setting that must be on, what else would happen, and how to turn it on.</summary>
    private static readonly (string Name, string Otherwise, string Remedy)[] Durability =
    [
        ("fsync", "after a crash of the machine the database may be damaged beyond repair",
            "ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()"),
        ("full_page_writes", "a crash in the middle of a page's write damages the database",
            "ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf()"),
        ("synchronous_commit", "a crash loses changes that were acknowledged",
            "ALTER DATABASE … RESET synchronous_commit, the same for the role, and ALTER SYSTEM SET synchronous_commit = on"),
    ];

    public static async Task<IReadOnlyList<Finding>> Run(Installation installation, string connectionString)
    {
        NpgsqlConnection connection;
        try
        {
            connection = await Open(connectionString);
        }
        catch (Exception away) when (away is NpgsqlException or TimeoutException or ArgumentException)
        {
            return [Finding.Bad(
                Check, $"PostgreSQL cannot be reached: {away.Message}",
                "Start it, and check host, port, database, role and password of Storage:Postgres, and the firewall.")];
        }

        await using (connection) return [.. await Judge(installation, connection)];
    }

    public static async Task<NpgsqlConnection> Open(string connectionString)
    {
        var patient = new NpgsqlConnectionStringBuilder(connectionString) { Timeout = 5, CommandTimeout = 10, Pooling = false };
        var connection = new NpgsqlConnection(patient.ToString());
        try
        {
            await connection.OpenAsync();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task<List<Finding>> Judge(Installation installation, NpgsqlConnection connection)
    {
        var findings = new List<Finding> { Version(connection) };
        foreach (var (name, otherwise, remedy) in Durability)
        {
            var value = await Show(connection, name);
            findings.Add(
                value != "off"
                    ? Finding.Good("durability", $"{name} is {value}.")
                    : Finding.Bad("durability", $"{name} is off: {otherwise}.", $"As a superuser: {remedy}. Then start the servers anew."));
        }

        findings.Add(await Writes(connection));
        findings.Add(await Clock(installation, connection));
        findings.Add(await Connections(connection, installation));
        findings.Add(await Schema(connection));
        if (findings[^1].Light is Light.Green) findings.Add(await DigestCheck.Run(connection));
        return findings;
    }

    private static Finding Version(NpgsqlConnection connection) =>
        connection.PostgreSqlVersion.Major >= VersionMin
            ? Finding.Good(Check, $"PostgreSQL {connection.PostgreSqlVersion} answers.")
            : Finding.Bad(Check, $"PostgreSQL is {connection.PostgreSqlVersion}.", $"Upgrade it to {VersionMin} or later.");

    private static async Task<Finding> Writes(NpgsqlConnection connection)
    {
        if (await Scalar<bool>(connection, "SELECT pg_is_in_recovery()"))
            return Finding.Bad(
                Check, "This PostgreSQL is a standby: it takes no writes.", "Name the primary in Storage:Postgres, or promote this one.");
        return await Show(connection, "transaction_read_only") == "off"
            ? Finding.Good(Check, "It takes writes.")
            : Finding.Bad(
                Check, "The database takes no writes: default_transaction_read_only is on.",
                "ALTER DATABASE … RESET default_transaction_read_only, and the same for the role.");
    }

    private static async Task<Finding> Clock(Installation installation, NpgsqlConnection connection)
    {
        var before = installation.Time.GetUtcNow();
        var theirs = await Scalar<DateTime>(connection, "SELECT clock_timestamp() AT TIME ZONE 'UTC'");
        var ours = before + ((installation.Time.GetUtcNow() - before) / 2);
        var skew = (DateTime.SpecifyKind(theirs, DateTimeKind.Utc) - ours.UtcDateTime).TotalSeconds;
        var says = string.Create(
            CultureInfo.InvariantCulture,
            $"The database's clock is {Math.Abs(skew):0.0} s {(skew < 0 ? "behind" : "ahead of")} this machine's.");
        const string remedy = "Synchronize the clocks of all machines (NTP: timedatectl set-ntp true).";
        return Math.Abs(skew) >= SkewRed ? Finding.Bad("clock", says, remedy)
            : Math.Abs(skew) >= SkewAmber ? Finding.Warn("clock", says, remedy)
            : Finding.Good("clock", says);
    }

    private static async Task<Finding> Connections(NpgsqlConnection connection, Installation installation)
    {
        var max = int.Parse(await Show(connection, "max_connections"), CultureInfo.InvariantCulture);
        var reserved = int.Parse(await Show(connection, "superuser_reserved_connections"), CultureInfo.InvariantCulture);
        var asked = new NpgsqlConnectionStringBuilder(installation.Configuration["Storage:Postgres"]).MaxPoolSize;
        var perSilo = (asked == PoolNpgsql ? GrainsSetup.PostgresConnectionsMax : asked) + OrleansConnections;
        var silos = Math.Max(1, (await SiloChecks.Members(connection)).Count(member => member.IsActive));
        var says = $"{silos} silo(s) may open {silos * perSilo} connections; max_connections leaves {max - reserved}.";
        return silos * perSilo <= max - reserved
            ? Finding.Good("connections", says)
            : Finding.Bad("connections", says, "Raise max_connections, or lower Maximum Pool Size in Storage:Postgres.");
    }

    private static async Task<Finding> Schema(NpgsqlConnection connection)
    {
        if (await Scalar<object>(connection, "SELECT to_regclass('schema_migrations')::text") is DBNull)
            return Finding.Warn("schema", "The database is empty.", "Start the server, or run mirubato migrate: either makes the schema.");
        return JudgeSchema(await Scalar<int>(connection, "SELECT coalesce(max(version), 0) FROM schema_migrations"), postgres: true);
    }

    public static Finding JudgeSchema(int version, bool postgres)
    {
        var known = Administration.SchemaVersion(postgres);
        return version == known ? Finding.Good("schema", $"The schema is of version {version}, as this release knows it.")
            : version < known
                ? Finding.Warn(
                    "schema", $"The schema is of version {version}, and this release brings {known}.",
                    "Start the server, or run mirubato migrate; take a backup first.")
                : Finding.Bad(
                    "schema", $"The schema is of version {version}, and this release knows versions up to {known}.",
                    "Start the release that made it or a later one, or restore a backup taken before the upgrade.");
    }

    private static async Task<string> Show(NpgsqlConnection connection, string setting) =>
        await Scalar<string>(connection, $"SHOW {setting}");

    private static async Task<T> Scalar<T>(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
