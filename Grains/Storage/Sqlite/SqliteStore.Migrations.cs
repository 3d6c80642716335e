namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    public async ValueTask Migrate(CancellationToken cancel)
    {
        var known = Migration.List("Sqlite");
        await writer.Write(session => Migrate(session, known), cancel);
    }

    private static int Migrate(SqliteSession session, IReadOnlyList<Migration> known)
    {
        session.Execute("""
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) STRICT
            """);
        var version = session.First("SELECT coalesce(max(version), 0) FROM schema_migrations", row => row.GetInt32(0));
        foreach (var step in Migration.Missing(known, version))
        {
            session.Execute(step.Sql);
            session.Execute("INSERT INTO schema_migrations (version, name) VALUES ($1, $2)", step.Version, step.Name);
        }

        return version;
    }
}
