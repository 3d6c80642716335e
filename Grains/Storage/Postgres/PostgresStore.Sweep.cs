using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    private static readonly string DeleteReceipts = SweepSql.DeleteOld("idempotency_keys", "expires_ms");
    private static readonly string DeleteConflicts = SweepSql.DeleteOld("sync_conflicts", "created_ms");
    private static readonly string DeleteDevices = SweepSql.DeleteOld("sync_devices", "last_seen_ms");
    private static readonly string DeleteTickets = SweepSql.DeleteOld("tickets", "expires_ms");

    public ValueTask<SweepReport> Sweep(long nowMs, CancellationToken cancel) => new FullSweep(this, SweepConnections).Run(nowMs, cancel);

    public ValueTask<SweepProgress> Sweep(SweepStep step, string? cursor, string holder, long nowMs, CancellationToken cancel)
    {
        var lease = new SweepLease(holder, nowMs);
        return step switch
        {
            SweepStep.Receipts => SweepOld(DeleteReceipts, lease, nowMs, cancel),
            SweepStep.Conflicts => SweepOld(DeleteConflicts, lease, nowMs - Ages.ConflictMs, cancel),
            SweepStep.StripTombstones => SweepOld(SweepSql.StripTombstones, lease, nowMs - Ages.TombstoneMs, cancel),
            SweepStep.PurgeErased => PurgeErased(lease, cancel),
            SweepStep.TrimTombstones => TrimTombstones(cursor, lease, cancel),
            SweepStep.Devices => SweepOld(DeleteDevices, lease, nowMs - Ages.DeviceUnseenMs, cancel),
            _ => throw new ArgumentOutOfRangeException(nameof(step)),
        };
    }

    private async ValueTask<SweepProgress> SweepOld(string sql, SweepLease lease, long boundMs, CancellationToken cancel)
    {
        var swept = await Swept(sql, lease, p => { p.Bigint(boundMs); p.Integer(options.SweepRowsMax); }, cancel);
        return new SweepProgress(swept, null, Done: swept < options.SweepRowsMax);
    }

    private async ValueTask<SweepProgress> PurgeErased(SweepLease lease, CancellationToken cancel)
    {
        const string due = """
            SELECT DISTINCT user_id FROM (
                SELECT user_id FROM sync_data WHERE purge_after_ms <= $1 AND purge_after_ms IS NOT NULL
                ORDER BY purge_after_ms LIMIT $2) d ORDER BY user_id
            """;
        await RequireLease(lease, cancel);
        var users = await List(due, p => { p.Bigint(lease.NowMs); p.Integer(options.SweepRowsMax); }, row => row.GetString(0), cancel);
        var progress = await new UserBatch(users, End: null).Remove(
            null, options.SweepRowsMax, (user, rows) => Removed(SweepSql.PurgeErased, lease, user, lease.NowMs, rows, cancel));
        return progress with { Cursor = null };
    }

    // A user has at most as many tombstones as revisions past the horizon: that rules nearly everyone out without looking at rows.
    private async ValueTask<SweepProgress> TrimTombstones(string? cursor, SweepLease lease, CancellationToken cancel)
    {
        const string users = """
            SELECT user_id, last_seq - tombstone_horizon > $3 FROM sync_metadata WHERE user_id > $1 ORDER BY user_id LIMIT $2
            """;
        await RequireLease(lease, cancel);
        var seen = await List(users, p => { p.Text(cursor ?? ""); p.Integer(options.SweepRowsMax); p.Bigint(options.TombstonesMax); },
            row => (row.GetString(0), row.GetBoolean(1)), cancel);
        return await UserBatch.From(seen, options.SweepRowsMax).Remove(
            cursor, options.SweepRowsMax, (user, rows) => Removed(SweepSql.TrimTombstones, lease, user, options.TombstonesMax, rows, cancel));
    }

    private ValueTask<int> Removed(string sql, SweepLease lease, string user, long bound, int rowsMax, CancellationToken cancel) =>
        Swept(sql, lease, p => { p.Text(user); p.Bigint(bound); p.Integer(rowsMax); }, cancel);

    private async ValueTask<int> Swept(string sql, SweepLease lease, Action<NpgsqlParameterCollection> with, CancellationToken cancel)
    {
        var (held, swept) = await One(sql, p => { AddLease(p, lease); with(p); }, row => (row.GetInt32(0) > 0, row.GetInt32(1)), cancel);
        return held ? swept : throw new LeaseLostException(lease.Holder);
    }

    private async ValueTask RequireLease(SweepLease lease, CancellationToken cancel)
    {
        if (await List(SweepSql.LeaseHeld, p => AddLease(p, lease), _ => true, cancel) is []) throw new LeaseLostException(lease.Holder);
    }

    private static void AddLease(NpgsqlParameterCollection to, SweepLease lease)
    {
        to.Text(lease.Holder);
        to.Bigint(lease.NowMs);
    }

    private async ValueTask<int> SweepConnections(SweepLease lease, CancellationToken cancel)
    {
        await Connected((connection, token) => ForgetOrphans(connection, token), PostgresFaults.Known, cancel);
        var total = 0;
        for (var batch = 0; batch < Ages.SweepStepsMax; batch++)
        {
            var progress = await SweepOld(DeleteTickets, lease, lease.NowMs - 1, cancel);
            total += progress.Removed;
            if (progress.Done) break;
        }

        return total;
    }
}
