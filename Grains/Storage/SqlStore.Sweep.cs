namespace Mirubato.Grains.Storage;

internal abstract partial class SqlStore
{
    public ValueTask<SweepProgress> Sweep(SweepStep step, string? cursor, string holder, long nowMs, CancellationToken cancel)
    {
        var lease = new SweepLease(holder, nowMs);
        return step switch
        {
            SweepStep.Receipts => SweepOld(DeleteOld("idempotency_keys", "expires_ms"), lease, nowMs, cancel),
            SweepStep.Conflicts => SweepOld(DeleteOld("sync_conflicts", "created_ms"), lease, nowMs - Retention.ConflictMs, cancel),
            SweepStep.StripTombstones => SweepOld(StripTombstones, lease, nowMs - Retention.TombstoneMs, cancel),
            SweepStep.PurgeErased => PurgeErased(lease, cancel),
            SweepStep.TrimTombstones => TrimTombstones(cursor, lease, cancel),
            SweepStep.Versions => ThinVersions(cursor, lease, cancel),
            SweepStep.Devices => SweepOld(DeleteOld("sync_devices", "last_seen_ms"), lease, nowMs - Retention.DeviceUnseenMs, cancel),
            _ => throw new ArgumentOutOfRangeException(nameof(step)),
        };
    }

    /// <summary>Deletes rows up to an age, so many at most.</summary>
    protected abstract string DeleteOld(string table, string age);

    /// <summary>
    /// Of tombstones deleted up to a time, so many at most. A tombstone stays as long as its user; what only a recent one is asked for
    /// goes.
    /// </summary>
    protected abstract string StripTombstones { get; }

    /// <summary>One batch, under the lease. Answers how many rows it changed.</summary>
    protected abstract ValueTask<int> Swept(string sql, SweepLease lease, CancellationToken cancel, params object[] values);

    /// <summary>Removes tombstones of one user, so many at most, under the lease: those to be purged up to a time.</summary>
    protected abstract ValueTask<int> RemoveErased(SweepLease lease, string user, int rowsMax, CancellationToken cancel);

    /// <summary>The same, of those past the <paramref name="keep"/> newest.</summary>
    protected abstract ValueTask<int> RemoveExcess(SweepLease lease, string user, int keep, int rowsMax, CancellationToken cancel);

    /// <summary>The same, of versions by their age alone: their bytes are bounded where they are written.</summary>
    protected abstract ValueTask<int> RemoveThinned(SweepLease lease, string user, int rowsMax, CancellationToken cancel);

    private async ValueTask<SweepProgress> SweepOld(string sql, SweepLease lease, long boundMs, CancellationToken cancel)
    {
        var swept = await Swept(sql, lease, cancel, boundMs, sweepRowsMax);
        return new SweepProgress(swept, null, Done: swept < sweepRowsMax);
    }

    private async ValueTask<SweepProgress> PurgeErased(SweepLease lease, CancellationToken cancel)
    {
        const string due = """
            SELECT DISTINCT user_id FROM (
                SELECT user_id FROM sync_data WHERE purge_after_ms <= $1 AND purge_after_ms IS NOT NULL
                ORDER BY purge_after_ms LIMIT $2) d ORDER BY user_id
            """;
        await RequireLease(lease, cancel);
        var users = await List(due, row => row.GetString(0), cancel, lease.NowMs, sweepRowsMax);
        var progress = await new UserBatch(users, End: null).Remove(
            null, sweepRowsMax, (user, rows) => RemoveErased(lease, user, rows, cancel));
        return progress with { Cursor = null };
    }

    // A user has at most as many tombstones as revisions past the horizon: that rules nearly everyone out without looking at rows.
    private async ValueTask<SweepProgress> TrimTombstones(string? cursor, SweepLease lease, CancellationToken cancel)
    {
        const string users = """
            SELECT user_id, last_seq - tombstone_horizon > $3 FROM sync_metadata WHERE user_id > $1 ORDER BY user_id LIMIT $2
            """;
        await RequireLease(lease, cancel);
        var seen = await List(users, row => (row.GetString(0), row.GetBoolean(1)), cancel, cursor ?? "", sweepRowsMax, (long)tombstonesMax);
        return await UserBatch.From(seen, sweepRowsMax).Remove(
            cursor, sweepRowsMax, (user, rows) => RemoveExcess(lease, user, tombstonesMax, rows, cancel));
    }

    private async ValueTask RequireLease(SweepLease lease, CancellationToken cancel)
    {
        if (await List(SweepLease.HeldSql, _ => true, cancel, lease.Holder, lease.NowMs) is []) throw new LeaseLostException(lease.Holder);
    }
}
