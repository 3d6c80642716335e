using System.Data.Common;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

/// <summary>
/// What both stores do alike: statements that are one text for PostgreSQL and SQLite, which both know parameters as $1, $2, …, and the
/// steps around those that are not.
/// </summary>
internal abstract partial class SqlStore(int sweepRowsMax, int tombstonesMax)
{
    public const string HistoryStateColumns =
        "epoch, first_seq, last_seq, tombstone_horizon, digest, last_sync_ms, not_before_ms, created_ms, rights";

    /// <summary>$1 user, $2 device.</summary>
    protected const string HistoryStateSql = $"""
        SELECT {HistoryStateColumns},
            EXISTS (SELECT 1 FROM sync_devices d WHERE d.user_id = $1 AND d.device_id = $2 AND d.revoked_ms IS NOT NULL)
        FROM sync_metadata WHERE user_id = $1
        """;

    /// <summary>$1 user, $2 epoch, $3 digest, $4 now.</summary>
    protected const string ProvisionSql = """
        INSERT INTO sync_metadata (user_id, epoch, first_seq, last_seq, last_sync_ms, digest, created_ms)
        VALUES ($1, $2, 1, 0, 0, $3, $4) ON CONFLICT (user_id) DO NOTHING
        """;

    public virtual async ValueTask Ping(CancellationToken cancel) =>
        await List("SELECT last_seq FROM sync_metadata LIMIT 1", row => row.GetInt64(0), cancel);

    public ValueTask<HistoryState> HistoryState(UserId user, DeviceId? device, long nowMs, CancellationToken cancel) =>
        Provisioned(user, nowMs, () => First(HistoryStateSql, ReadHistoryState, cancel, user.Value, ToParameter(device)), cancel);

    public ValueTask<Receipt?> Receipt(UserId user, WriteScope scope, string key, long nowMs, CancellationToken cancel)
    {
        const string sql =
            $"SELECT {StoredColumns.Receipt} FROM idempotency_keys WHERE user_id = $1 AND scope = $2 AND key = $3 AND expires_ms > $4";
        return First(sql, row => StoredColumns.ReadReceipt(row, scope, key), cancel, user.Value, (short)scope, key, nowMs);
    }

    public ValueTask<List<DeviceReport>> Devices(UserId user, CancellationToken cancel)
    {
        const string sql =
            "SELECT device_id, name, first_seen_ms, last_seen_ms, last_seq, revoked_ms FROM sync_devices WHERE user_id = $1 ORDER BY "
            + "device_id";
        return List(sql, StoredColumns.ReadDevice, cancel, user.Value);
    }

    public ValueTask<List<ConflictReport>> Conflicts(UserId user, string? after, int limit, CancellationToken cancel)
    {
        const string newest =
            $"SELECT {StoredColumns.Conflict} FROM sync_conflicts WHERE user_id = $1 ORDER BY created_ms DESC, id DESC LIMIT $2";
        const string older = $"""
            SELECT {StoredColumns.Conflict} FROM sync_conflicts
            WHERE user_id = $1 AND (created_ms, id) < (SELECT created_ms, id FROM sync_conflicts WHERE user_id = $1 AND id = $3)
            ORDER BY created_ms DESC, id DESC LIMIT $2
            """;
        return after is null
            ? List(newest, StoredColumns.ReadConflict, cancel, user.Value, limit)
            : List(older, StoredColumns.ReadConflict, cancel, user.Value, limit, after);
    }

    public ValueTask<ConflictReport?> Conflict(UserId user, string id, CancellationToken cancel)
    {
        const string sql = $"SELECT {StoredColumns.Conflict} FROM sync_conflicts WHERE user_id = $1 AND id = $2";
        return First(sql, StoredColumns.ReadConflict, cancel, user.Value, id);
    }

    public async ValueTask<bool> DeleteConflict(UserId user, string id, CancellationToken cancel) =>
        await Execute("DELETE FROM sync_conflicts WHERE user_id = $1 AND id = $2", cancel, user.Value, id) > 0;

    public async ValueTask<StoredTotals> TrimReceipts(UserId user, StoredTotals max, StoredTotals kept, CancellationToken cancel)
    {
        const string totals = "SELECT count(*), coalesce(sum(length(response)), 0) FROM idempotency_keys WHERE user_id = $1";
        const string delete = """
            DELETE FROM idempotency_keys WHERE user_id = $1 AND (scope, key) IN (
                SELECT scope, key FROM (
                    SELECT scope, key, row_number() OVER newest AS place, sum(length(response)) OVER newest AS bytes
                    FROM idempotency_keys WHERE user_id = $1
                    WINDOW newest AS (ORDER BY expires_ms DESC, scope, key ROWS UNBOUNDED PRECEDING)) AS receipts
                WHERE place > $2 OR bytes > $3)
            """;
        var stored = (await List(totals, ReadTotals, cancel, user.Value))[0];
        if (!stored.Exceeds(max)) return stored;
        await Execute(delete, cancel, user.Value, kept.Count, kept.Bytes);
        return (await List(totals, ReadTotals, cancel, user.Value))[0];
    }

    private static StoredTotals ReadTotals(DbDataReader row) => new(row.GetInt64(0), row.GetInt64(1));

    public async ValueTask<bool> StartAbove(UserId user, Revision last, long nowMs, CancellationToken cancel)
    {
        const string sql = "UPDATE sync_metadata SET epoch = $2, first_seq = $3, last_seq = $4 WHERE user_id = $1 AND last_seq < $4";
        await Provision(user, nowMs, cancel);
        return await Execute(sql, cancel, user.Value, ToParameter(UInt128Codec.FreshEpoch()), last.Next.Number, last.Number) > 0;
    }

    // Waits for a batch under way: in PostgreSQL it holds a lock on the row, in SQLite it is the one write.
    public async ValueTask<bool> TryLease(string holder, long nowMs, long untilMs, CancellationToken cancel)
    {
        const string sql = """
            INSERT INTO maintenance_lease (name, holder, until_ms) VALUES ('sweep', $1, $3)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
            WHERE maintenance_lease.holder = excluded.holder OR maintenance_lease.until_ms <= $2
            """;
        return await Execute(sql, cancel, holder, nowMs, untilMs) > 0;
    }

    public async ValueTask ReleaseLease(string holder, CancellationToken cancel) =>
        await Execute("DELETE FROM maintenance_lease WHERE name = 'sweep' AND holder = $1", cancel, holder);

    public async ValueTask<byte[]> TicketKey(CancellationToken cancel)
    {
        var found = await List("SELECT value FROM server_keys WHERE name = 'tickets'", row => row.GetFieldValue<byte[]>(0), cancel);
        Invariant.Holds(found.Count == 1, "the first migration made the key of tickets");
        return found[0];
    }

    /// <summary>One statement that reads.</summary>
    protected abstract ValueTask<List<T>> List<T>(string sql, Func<DbDataReader, T> read, CancellationToken cancel, params object[] values);

    /// <summary>One statement that writes, durable when it returns. Answers how many rows it wrote.</summary>
    protected abstract ValueTask<int> Execute(string sql, CancellationToken cancel, params object[] values);

    /// <summary>Gives the user a row, with a fresh epoch, unless there is one.</summary>
    protected abstract ValueTask<int> Provision(UserId user, long nowMs, CancellationToken cancel);

    protected async ValueTask<T?> First<T>(string sql, Func<DbDataReader, T> read, CancellationToken cancel, params object[] values)
        where T : class => await List(sql, read, cancel, values) is [var first, ..] ? first : null;

    protected abstract object ToParameter(Epoch epoch);

    /// <summary>What is read of the user's row; a user without one is provisioned first.</summary>
    protected async ValueTask<T> Provisioned<T>(UserId user, long nowMs, Func<ValueTask<T?>> read, CancellationToken cancel)
        where T : class
    {
        while (true)
        {
            if (await read() is { } found) return found;
            await Provision(user, nowMs, cancel);
        }
    }

    protected static HistoryState ReadHistoryState(DbDataReader row) => ReadHistoryState(row, 0);

    /// <param name="row">Stands on a row with <see cref="HistoryStateColumns"/> and whether the device is revoked.</param>
    /// <param name="at">The first of those columns.</param>
    protected static HistoryState ReadHistoryState(DbDataReader row, int at) => new(
        new Epoch(row.GetGuid(at)), new Revision(row.GetInt64(at + 1)), new Revision(row.GetInt64(at + 2)),
        new Revision(row.GetInt64(at + 3)), UInt128Codec.Decode(row.GetFieldValue<byte[]>(at + 4)), row.GetInt64(at + 5),
        row.GetInt64(at + 6), row.GetInt64(at + 7), DeviceRevoked: row.GetBoolean(at + 9), Rights: row.GetInt64(at + 8));

    /// <summary>An unknown device is none that a row has: the type of a parameter stays the same, and so its prepared statement.</summary>
    protected static string ToParameter(DeviceId? device) => device?.Value ?? "";
}
