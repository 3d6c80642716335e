namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    // Each step is a write of its own, so that other writes come in between.
    public async ValueTask<SweepReport> Sweep(long nowMs, CancellationToken cancel)
    {
        var receipts = await DeleteBatches("idempotency_keys", "expires_ms", nowMs, cancel);
        var conflicts = await DeleteBatches("sync_conflicts", "created_ms", nowMs - Ages.ConflictMs, cancel);
        var tombstones = await StripTombstones(nowMs, cancel) + await PurgeErased(nowMs, cancel) + await TrimTombstones(cancel);
        var devices = await DeleteBatches("sync_devices", "last_seen_ms", nowMs - Ages.DeviceUnseenMs, cancel);
        var tickets = await DeleteBatches("tickets", "expires_ms", nowMs - 1, cancel);
        return new SweepReport(receipts, conflicts, tombstones, devices, tickets);
    }

    private Task<int> DeleteBatches(string table, string age, long boundMs, CancellationToken cancel) => Batches(
        $"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {age} <= ?1 ORDER BY {age} LIMIT ?2)", boundMs, cancel);

    // A tombstone stays as long as its user; what only a recent one is asked for goes.
    private Task<int> StripTombstones(long nowMs, CancellationToken cancel)
    {
        const string sql = """
            UPDATE sync_data SET echoes = NULL, previous_fingerprint = NULL, previous_out_ms = 0, duplicate_of = NULL WHERE rowid IN (
                SELECT rowid FROM sync_data WHERE deleted_ms <= ?1 AND deleted_ms IS NOT NULL
                    AND (echoes IS NOT NULL OR previous_fingerprint IS NOT NULL OR duplicate_of IS NOT NULL) ORDER BY deleted_ms LIMIT ?2)
            """;
        return Batches(sql, nowMs - Ages.TombstoneMs, cancel);
    }

    private async Task<int> Batches(string sql, long boundMs, CancellationToken cancel)
    {
        var total = 0;
        for (var step = 0; step < Ages.SweepStepsMax; step++)
        {
            var swept = await writer.Write(session => session.Execute(sql, boundMs, Ages.SweepRowsMax), cancel);
            total += swept;
            if (swept < Ages.SweepRowsMax) break;
        }

        return total;
    }

    private async Task<int> PurgeErased(long nowMs, CancellationToken cancel)
    {
        const string due = "SELECT DISTINCT user_id FROM sync_data WHERE purge_after_ms <= ?1 AND purge_after_ms IS NOT NULL LIMIT ?2";
        const string erased = "SELECT seq FROM sync_data WHERE user_id = ?1 AND deleted_ms IS NOT NULL AND purge_after_ms <= ?2 ORDER BY seq LIMIT ?3";
        var total = 0;
        foreach (var user in await readers.Read(session => session.List(due, row => row.GetString(0), nowMs, Ages.SweepRowsMax), cancel))
            total += await RemoveTombstones(user, erased, nowMs, cancel);
        return total;
    }

    // A user has at most as many tombstones as revisions past the horizon: that rules nearly everyone out without looking at rows.
    private async Task<int> TrimTombstones(CancellationToken cancel)
    {
        const string candidates = "SELECT user_id FROM sync_metadata WHERE last_seq - tombstone_horizon > ?1 ORDER BY user_id";
        const string excess = """
            SELECT seq FROM sync_data WHERE user_id = ?1 AND deleted_ms IS NOT NULL ORDER BY seq
            LIMIT min(?3, max(0, (SELECT count(*) FROM sync_data WHERE user_id = ?1 AND deleted_ms IS NOT NULL) - ?2))
            """;
        var total = 0;
        foreach (var user in await readers.Read(session => session.List(candidates, row => row.GetString(0), options.TombstonesMax), cancel))
            total += await RemoveTombstones(user, excess, options.TombstonesMax, cancel);
        return total;
    }

    /// <summary>Removes a user's chosen tombstones, oldest first, raising the horizon over each step's highest in the same transaction.</summary>
    private async Task<int> RemoveTombstones(string user, string chosen, long bound, CancellationToken cancel)
    {
        int total = 0, removed;
        do
        {
            removed = await writer.Write(session => RemoveTombstones(session, user, chosen, bound), cancel);
            total += removed;
        }
        while (removed == Ages.SweepRowsMax);
        return total;
    }

    private static int RemoveTombstones(SqliteSession session, string user, string chosen, long bound)
    {
        var gone = session.List(chosen, row => row.GetInt64(0), user, bound, Ages.SweepRowsMax);
        foreach (var seq in gone) session.Execute("DELETE FROM sync_data WHERE user_id = ?1 AND seq = ?2", user, seq);
        if (gone.Count > 0)
            session.Execute("UPDATE sync_metadata SET tombstone_horizon = max(tombstone_horizon, ?2) WHERE user_id = ?1", user, gone.Max());
        return gone.Count;
    }
}
