namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    public async ValueTask Erase(UserId user, long nowMs, CancellationToken cancel) =>
        await writer.Write(session => Erase(session, user.Value, nowMs), cancel);

    public ValueTask<long> BumpEpochs(CancellationToken cancel) => writer.Write(BumpEpochs, cancel);

    public ValueTask<long?> FinishRestore(CancellationToken cancel)
    {
        const string marked = "SELECT 1 FROM sqlite_schema WHERE name = $1";
        return writer.Write<long?>(
            session => session.First(marked, _ => true, RestoreMark.Table) ? BumpEpochs(session) : null, cancel);
    }

    public async ValueTask BumpEpoch(UserId user, CancellationToken cancel)
    {
        const string sql =
            "UPDATE sync_metadata SET epoch = $2, first_seq = last_seq + $3, last_seq = last_seq + $3 - 1 WHERE user_id = $1";
        await writer.Write(session => session.Execute(sql, user.Value, UInt128Codec.FreshEpoch().ToString(), Limits.EpochJump), cancel);
    }

    private static long BumpEpochs(SqliteSession session)
    {
        const string sql =
            "UPDATE sync_metadata SET epoch = lower(hex(randomblob(16))), first_seq = last_seq + $1, last_seq = last_seq + $1 - 1";
        var users = session.Execute(sql, Limits.EpochJump);
        session.Execute(RestoreMark.Remove);
        return users;
    }

    private static int Erase(SqliteSession session, string user, long nowMs)
    {
        // New revisions are all above the old ones, so none collides on the way. The time that goes out still only grows.
        const string tombstones = """
            UPDATE sync_data SET seq = $2 + n.place - 1, version = version + 1, effective_ms = $3, client_ms = $3,
                published_ms = max(published_ms + 1, $3),
                previous_published_ms = 0, deleted_ms = $3, purge_after_ms = $4, bytes = 0, named_version = NULL, device_id = NULL,
                fingerprint = NULL, previous_fingerprint = NULL, echoes = NULL, merged_in_effective_ms = NULL, merged_in_client_ms = NULL,
                data = NULL, arrived_ms = max(arrived_ms, $3)
            FROM (SELECT rowid AS at, row_number() OVER (ORDER BY seq) AS place FROM sync_data WHERE user_id = $1) n
            WHERE sync_data.rowid = n.at
            """;
        const string epoch = """
            UPDATE sync_metadata SET epoch = $2, first_seq = $3, last_seq = $4, digest = $5, last_sync_ms = max(last_sync_ms, $6),
                rights = rights + 1 WHERE user_id = $1
            """;
        if (session.First("SELECT last_seq FROM sync_metadata WHERE user_id = $1", row => (long?)row.GetInt64(0), user) is not { } last)
        {
            return 0;
        }
        var first = last + Limits.EpochJump;
        var count = session.Execute(tombstones, user, first, nowMs, nowMs + Retention.ErasedTombstoneMs);
        session.Execute("DELETE FROM sync_conflicts WHERE user_id = $1", user);
        session.Execute("DELETE FROM sync_versions WHERE user_id = $1", user);
        session.Execute("DELETE FROM sync_devices WHERE user_id = $1", user);
        session.Execute("DELETE FROM idempotency_keys WHERE user_id = $1", user);
        session.Execute(
            epoch, user, UInt128Codec.FreshEpoch().ToString(), first, first + count - 1, UInt128Codec.Encode(UInt128.Zero), nowMs);
        return count;
    }
}
