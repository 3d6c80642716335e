namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    private const string Strip = """
        UPDATE sync_data SET echoes = NULL, previous_fingerprint = NULL, previous_out_ms = 0, duplicate_of = NULL WHERE rowid IN (
            SELECT rowid FROM sync_data WHERE deleted_ms <= ?1 AND deleted_ms IS NOT NULL
                AND (echoes IS NOT NULL OR previous_fingerprint IS NOT NULL OR duplicate_of IS NOT NULL) ORDER BY deleted_ms LIMIT ?2)
        """;

    public ValueTask<SweepReport> Sweep(long nowMs, CancellationToken cancel) => new FullSweep(this, SweepTickets).Run(nowMs, cancel);

    public ValueTask<SweepProgress> Sweep(SweepStep step, string? cursor, string holder, long nowMs, CancellationToken cancel)
    {
        var lease = new SweepLease(holder, nowMs);
        return step switch
        {
            SweepStep.Receipts => SweepOld(DeleteOld("idempotency_keys", "expires_ms"), lease, nowMs, cancel),
            SweepStep.Conflicts => SweepOld(DeleteOld("sync_conflicts", "created_ms"), lease, nowMs - Ages.ConflictMs, cancel),
            // A tombstone stays as long as its user; what only a recent one is asked for goes.
            SweepStep.StripTombstones => SweepOld(Strip, lease, nowMs - Ages.TombstoneMs, cancel),
            SweepStep.PurgeErased => PurgeErased(lease, cancel),
            SweepStep.TrimTombstones => TrimTombstones(cursor, lease, cancel),
            SweepStep.Devices => SweepOld(DeleteOld("sync_devices", "last_seen_ms"), lease, nowMs - Ages.DeviceUnseenMs, cancel),
            _ => throw new ArgumentOutOfRangeException(nameof(step)),
        };
    }

    private static string DeleteOld(string table, string age) =>
        $"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {age} <= ?1 ORDER BY {age} LIMIT ?2)";

    private async ValueTask<SweepProgress> SweepOld(string sql, SweepLease lease, long boundMs, CancellationToken cancel)
    {
        var swept = await writer.Write(session =>
        {
            RequireLease(session, lease);
            return session.Execute(sql, boundMs, options.SweepRowsMax);
        }, cancel);
        return new SweepProgress(swept, null, Done: swept < options.SweepRowsMax);
    }

    private async ValueTask<SweepProgress> PurgeErased(SweepLease lease, CancellationToken cancel)
    {
        const string due = """
            SELECT DISTINCT user_id FROM (
                SELECT user_id FROM sync_data WHERE purge_after_ms <= ?1 AND purge_after_ms IS NOT NULL
                ORDER BY purge_after_ms LIMIT ?2) ORDER BY user_id
            """;
        const string erased = """
            SELECT seq FROM sync_data WHERE user_id = ?1 AND deleted_ms IS NOT NULL AND purge_after_ms <= ?2 ORDER BY seq LIMIT ?3
            """;
        var users = await readers.Read(session =>
        {
            RequireLease(session, lease);
            return session.List(due, row => row.GetString(0), lease.NowMs, options.SweepRowsMax);
        }, cancel);
        var progress = await new UserBatch(users, End: null).Remove(
            null, options.SweepRowsMax, (user, rows) => RemoveTombstones(lease, user, erased, lease.NowMs, rows, cancel));
        return progress with { Cursor = null };
    }

    // A user has at most as many tombstones as revisions past the horizon: that rules nearly everyone out without looking at rows.
    private async ValueTask<SweepProgress> TrimTombstones(string? cursor, SweepLease lease, CancellationToken cancel)
    {
        const string users = """
            SELECT user_id, last_seq - tombstone_horizon > ?3 FROM sync_metadata WHERE user_id > ?1 ORDER BY user_id LIMIT ?2
            """;
        const string excess = """
            SELECT seq FROM sync_data WHERE user_id = ?1 AND deleted_ms IS NOT NULL ORDER BY seq LIMIT max(0, (
                SELECT count(*) FROM (SELECT 1 FROM sync_data WHERE user_id = ?1 AND deleted_ms IS NOT NULL LIMIT ?2 + ?3)) - ?2)
            """;
        var seen = await readers.Read(session =>
        {
            RequireLease(session, lease);
            return session.List(
                users, row => (row.GetString(0), row.GetBoolean(1)), cursor ?? "", options.SweepRowsMax, options.TombstonesMax);
        }, cancel);
        return await UserBatch.From(seen, options.SweepRowsMax).Remove(
            cursor, options.SweepRowsMax, (user, rows) => RemoveTombstones(lease, user, excess, options.TombstonesMax, rows, cancel));
    }

    // Each user is a write of its own, so that other writes come in between.
    private ValueTask<int> RemoveTombstones(
        SweepLease lease, string user, string chosen, long bound, int rowsMax, CancellationToken cancel) =>
        writer.Write(session =>
        {
            RequireLease(session, lease);
            return RemoveTombstones(session, user, session.List(chosen, row => row.GetInt64(0), user, bound, rowsMax));
        }, cancel);

    /// <summary>Removes tombstones of a user and raises the horizon over the highest of them.</summary>
    private static int RemoveTombstones(SqliteSession session, string user, List<long> chosen)
    {
        const string horizon = """
            UPDATE sync_metadata SET tombstone_horizon = ?2, rights = rights + 1 WHERE user_id = ?1 AND tombstone_horizon < ?2
            """;
        foreach (var seq in chosen) session.Execute("DELETE FROM sync_data WHERE user_id = ?1 AND seq = ?2", user, seq);
        if (chosen.Count > 0) session.Execute(horizon, user, chosen[^1]);
        return chosen.Count;
    }

    private async ValueTask<int> SweepTickets(SweepLease lease, CancellationToken cancel)
    {
        var total = 0;
        for (var batch = 0; batch < Ages.SweepStepsMax; batch++)
        {
            var progress = await SweepOld(DeleteOld("tickets", "expires_ms"), lease, lease.NowMs - 1, cancel);
            total += progress.Removed;
            if (progress.Done) break;
        }

        return total;
    }
}
