namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    protected override string StripTombstones => """
        UPDATE sync_data SET echoes = NULL, previous_fingerprint = NULL, previous_published_ms = 0 WHERE rowid IN (
            SELECT rowid FROM sync_data WHERE deleted_ms <= $1 AND deleted_ms IS NOT NULL
                AND (echoes IS NOT NULL OR previous_fingerprint IS NOT NULL) ORDER BY deleted_ms LIMIT $2)
        """;

    private static readonly string ThinVersions =
        $"DELETE FROM sync_versions WHERE {VersionSql.Thinned("$1", "$2", $"{long.MaxValue}", $"{long.MaxValue}", "$3")}";

    protected override string DeleteOld(string table, string age) =>
        $"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {age} <= $1 ORDER BY {age} LIMIT $2)";

    protected override ValueTask<int> Swept(string sql, SweepLease lease, CancellationToken cancel, params object[] values) =>
        writer.Write(session =>
        {
            RequireLease(session, lease);
            return session.Execute(sql, values);
        }, cancel);

    protected override ValueTask<int> RemoveErased(SweepLease lease, string user, int rowsMax, CancellationToken cancel)
    {
        const string erased = """
            SELECT seq FROM sync_data WHERE user_id = $1 AND deleted_ms IS NOT NULL AND purge_after_ms <= $2 ORDER BY seq LIMIT $3
            """;
        return RemoveTombstones(lease, user, erased, lease.NowMs, rowsMax, cancel);
    }

    protected override ValueTask<int> RemoveExcess(SweepLease lease, string user, int keep, int rowsMax, CancellationToken cancel)
    {
        const string excess = """
            SELECT seq FROM sync_data WHERE user_id = $1 AND deleted_ms IS NOT NULL ORDER BY seq LIMIT max(0, (
                SELECT count(*) FROM (SELECT 1 FROM sync_data WHERE user_id = $1 AND deleted_ms IS NOT NULL LIMIT $2 + $3)) - $2)
            """;
        return RemoveTombstones(lease, user, excess, keep, rowsMax, cancel);
    }

    protected override ValueTask<int> RemoveThinned(SweepLease lease, string user, int rowsMax, CancellationToken cancel) =>
        Swept(ThinVersions, lease, cancel, user, lease.NowMs, rowsMax);

    // Each user is a write of its own, so that other writes come in between. The horizon rises over the highest that went.
    private ValueTask<int> RemoveTombstones(SweepLease lease, string user, string chosen, long bound, int rowsMax, CancellationToken cancel)
    {
        const string horizon = """
            UPDATE sync_metadata SET tombstone_horizon = $2, rights = rights + 1 WHERE user_id = $1 AND tombstone_horizon < $2
            """;
        return writer.Write(session =>
        {
            RequireLease(session, lease);
            var revisions = session.List(chosen, row => row.GetInt64(0), user, bound, rowsMax);
            foreach (var seq in revisions) session.Execute("DELETE FROM sync_data WHERE user_id = $1 AND seq = $2", user, seq);
            if (revisions.Count > 0) session.Execute(horizon, user, revisions[^1]);
            return revisions.Count;
        }, cancel);
    }

    private static void RequireLease(SqliteSession session, SweepLease lease)
    {
        if (!session.First(SweepLease.HeldSql, _ => true, lease.Holder, lease.NowMs)) throw new LeaseLostException(lease.Holder);
    }
}
