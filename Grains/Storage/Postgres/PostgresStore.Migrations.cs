using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    // Two numbers that name our lock among those of whatever else uses the database: "miru", then what for.
    private const string MigrationLock = "1835627125, 1";

    public ValueTask Migrate(CancellationToken cancel) =>
        RunUpkeep(
            (connection, token) => Migrate(connection, Migration.List("Postgres"), options.AlsoApply, token), PostgresFaults.Known, cancel);

    // The lock goes with the transaction: processes that start at once wait for the first, and find nothing left to do.
    private static async Task Migrate(NpgsqlConnection connection, IReadOnlyList<Migration> known, string? also, CancellationToken cancel)
    {
        await Run(connection, $"SELECT pg_advisory_xact_lock({MigrationLock})", cancel);
        await Run(connection, """
            CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now())
            """, cancel);

        foreach (var step in Migration.Missing(known, await SchemaVersion(connection, cancel)))
        {
            await Run(connection, step.Sql, cancel);
            await Run(connection, "INSERT INTO schema_migrations (version, name) VALUES ($1, $2)", cancel, step.Version, step.Name);
        }

        if (also is not null) await Run(connection, also, cancel);
    }

    private static async Task<int> SchemaVersion(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = Command(connection, "SELECT coalesce(max(version), 0) FROM schema_migrations");
        return (int)(await command.ExecuteScalarAsync(cancel))!;
    }
}
