using System.Data;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    private string trimmedUpTo = "";

    public async ValueTask<SweepReport> Sweep(long nowMs, CancellationToken cancel)
    {
        var report = new SweepReport(0, 0, 0, 0);
        await Connected(async (connection, token) =>
        {
            if (!await TryLockSweep(connection, token)) return;
            try
            {
                report = await Sweep(connection, nowMs, token);
            }
            finally
            {
                // One that was lost meanwhile has let go of it; to ask it anything would hide why.
                if (connection.State is ConnectionState.Open) await Run(connection, $"SELECT pg_advisory_unlock({SweepLock})", _ => { }, CancellationToken.None);
            }
        }, PostgresFaults.Known, cancel);
        return report;
    }

    private async Task<SweepReport> Sweep(NpgsqlConnection connection, long nowMs, CancellationToken cancel)
    {
        await ForgetOrphans(connection, cancel);
        return new SweepReport(
            Receipts: await DeleteBatches(connection, "idempotency_keys", "expires_ms", nowMs, cancel),
            Conflicts: await DeleteBatches(connection, "sync_conflicts", "created_ms", nowMs - Ages.ConflictMs, cancel),
            Tombstones: await StripTombstones(connection, nowMs, cancel) + await PurgeErased(connection, nowMs, cancel) + await TrimTombstones(connection, cancel),
            Devices: await DeleteBatches(connection, "sync_devices", "last_seen_ms", nowMs - Ages.DeviceUnseenMs, cancel),
            Tickets: await DeleteBatches(connection, "tickets", "expires_ms", nowMs - 1, cancel));
    }

    private static async Task<bool> TryLockSweep(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = Command(connection, $"SELECT pg_try_advisory_lock({SweepLock})");
        return await command.ExecuteScalarAsync(cancel) is true;
    }

    // SKIP LOCKED: a receipt being replaced, or a device being seen, is no longer old.
    private static Task<int> DeleteBatches(NpgsqlConnection connection, string table, string age, long boundMs, CancellationToken cancel)
    {
        var sql = $"""
            DELETE FROM {table} WHERE {age} <= $1 AND ctid = ANY (ARRAY(
                SELECT ctid FROM {table} WHERE {age} <= $1 ORDER BY {age} LIMIT $2 FOR UPDATE SKIP LOCKED))
            """;
        return Batches(connection, sql, boundMs, cancel);
    }

    // A tombstone stays as long as its user; what only a recent one is asked for goes.
    private static Task<int> StripTombstones(NpgsqlConnection connection, long nowMs, CancellationToken cancel)
    {
        const string stale = """
            deleted_ms <= $1 AND deleted_ms IS NOT NULL AND (echoes IS NOT NULL OR previous_fingerprint IS NOT NULL OR duplicate_of IS NOT NULL)
            """;
        const string sql = $"""
            UPDATE sync_data SET echoes = NULL, previous_fingerprint = NULL, previous_out_ms = 0, duplicate_of = NULL
            WHERE {stale} AND ctid = ANY (ARRAY(SELECT ctid FROM sync_data WHERE {stale} ORDER BY deleted_ms LIMIT $2 FOR UPDATE SKIP LOCKED))
            """;
        return Batches(connection, sql, nowMs - Ages.TombstoneMs, cancel);
    }

    private static async Task<int> Batches(NpgsqlConnection connection, string sql, long boundMs, CancellationToken cancel)
    {
        var total = 0;
        for (var step = 0; step < Ages.SweepStepsMax; step++)
        {
            var swept = await Run(connection, sql, p => { p.Bigint(boundMs); p.Integer(Ages.SweepRowsMax); }, cancel);
            total += swept;
            if (swept < Ages.SweepRowsMax) break;
        }

        return total;
    }

    private static async Task<int> PurgeErased(NpgsqlConnection connection, long nowMs, CancellationToken cancel)
    {
        const string due = """
            SELECT DISTINCT user_id FROM (
                SELECT user_id FROM sync_data WHERE purge_after_ms <= $1 AND purge_after_ms IS NOT NULL ORDER BY purge_after_ms LIMIT $2) d
            """;
        const string erased = "SELECT seq FROM sync_data WHERE user_id = $1 AND deleted_ms IS NOT NULL AND purge_after_ms <= $2 ORDER BY seq LIMIT $3";
        var total = 0;
        foreach (var user in await Users(connection, due, p => { p.Bigint(nowMs); p.Integer(Ages.SweepRowsMax); }, cancel))
            total += await RemoveTombstones(connection, user, erased, nowMs, cancel);
        return total;
    }

    // A user has at most as many tombstones as revisions past the horizon: that rules nearly everyone out without looking at rows.
    private async Task<int> TrimTombstones(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string candidates = """
            SELECT user_id FROM sync_metadata WHERE last_seq - tombstone_horizon > $1 AND user_id > $3 ORDER BY user_id LIMIT $2
            """;
        const string excess = """
            SELECT seq FROM sync_data WHERE user_id = $1 AND deleted_ms IS NOT NULL ORDER BY seq
            LIMIT least($3, greatest(0, (SELECT count(*) FROM sync_data WHERE user_id = $1 AND deleted_ms IS NOT NULL) - $2))
            """;
        var users = await Users(connection, candidates, p => { p.Bigint(options.TombstonesMax); p.Integer(Ages.SweepRowsMax); p.Text(trimmedUpTo); }, cancel);
        var total = 0;
        foreach (var user in users) total += await RemoveTombstones(connection, user, excess, options.TombstonesMax, cancel);
        trimmedUpTo = users.Count < Ages.SweepRowsMax ? "" : users[^1];
        return total;
    }

    /// <summary>Removes a user's chosen tombstones, oldest first, raising the horizon over each step's highest in the same transaction.</summary>
    private static async Task<int> RemoveTombstones(NpgsqlConnection connection, string user, string chosen, long bound, CancellationToken cancel)
    {
        var sql = $"""
            WITH gone AS (DELETE FROM sync_data WHERE user_id = $1 AND seq = ANY (ARRAY({chosen})) RETURNING seq),
            horizon AS (
                UPDATE sync_metadata SET tombstone_horizon = greatest(tombstone_horizon, (SELECT max(seq) FROM gone))
                WHERE user_id = $1 AND EXISTS (SELECT FROM gone))
            SELECT count(*)::int FROM gone
            """;
        int total = 0, removed = 0;
        do
        {
            await Locked(connection, user, async (c, _, token) =>
            {
                await using var command = Command(c, sql);
                command.Parameters.Text(user);
                command.Parameters.Bigint(bound);
                command.Parameters.Integer(Ages.SweepRowsMax);
                removed = (int)(await command.ExecuteScalarAsync(token))!;
            }, cancel);
            total += removed;
        }
        while (removed == Ages.SweepRowsMax);
        return total;
    }

    private static async Task<List<string>> Users(
        NpgsqlConnection connection, string sql, Action<NpgsqlParameterCollection> with, CancellationToken cancel)
    {
        await using var command = Command(connection, sql);
        with(command.Parameters);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var users = new List<string>();
        while (await reader.ReadAsync(cancel)) users.Add(reader.GetString(0));
        return users;
    }
}
