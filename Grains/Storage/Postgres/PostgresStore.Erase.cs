using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    public ValueTask Erase(UserId user, long nowMs, CancellationToken cancel) =>
        Locked(user, (connection, lastSeq, token) => Erase(connection, user, lastSeq + Limits.EpochJump, nowMs, token), cancel);

    public async ValueTask<long> BumpEpochs(CancellationToken cancel)
    {
        var users = 0;
        await RunUpkeep(async (connection, token) => users = await BumpEpochs(connection, token), PostgresFaults.FromCommit, cancel);
        return users;
    }

    /// <summary>Under the migrations' lock: of several processes that start at once the first finishes the restore.</summary>
    public async ValueTask<long?> FinishRestore(CancellationToken cancel)
    {
        long? users = null;
        await RunUpkeep(async (connection, token) =>
        {
            await Run(connection, $"SELECT pg_advisory_xact_lock({MigrationLock})", token);
            await using var marked = Command(connection, $"SELECT to_regclass('{RestoreMark.Table}') IS NOT NULL");
            if (await marked.ExecuteScalarAsync(token) is true) users = await BumpEpochs(connection, token);
        }, PostgresFaults.FromCommit, cancel);
        return users;
    }

    public ValueTask BumpEpoch(UserId user, CancellationToken cancel) => Locked(
        user,
        (connection, lastSeq, token) => Run(
            connection, "UPDATE sync_metadata SET epoch = $2, first_seq = $3, last_seq = $3 - 1 WHERE user_id = $1", token, user.Value,
            UInt128Codec.FreshEpoch().Value, lastSeq + Limits.EpochJump),
        cancel);

    private static async Task<int> BumpEpochs(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string sql = "UPDATE sync_metadata SET epoch = gen_random_uuid(), first_seq = last_seq + $1, last_seq = last_seq + $1 - 1";
        var users = await Run(connection, sql, cancel, Limits.EpochJump);
        await Run(connection, RestoreMark.Remove, cancel);
        return users;
    }

    private static async Task Erase(NpgsqlConnection connection, UserId user, long first, long nowMs, CancellationToken cancel)
    {
        // New revisions are all above the old ones, so none collides on the way. The time that goes out still only grows.
        const string tombstones = """
            UPDATE sync_data d SET seq = $2 + n.place - 1, version = version + 1, effective_ms = $3, client_ms = $3,
                published_ms = greatest(published_ms + 1, $3),
                previous_published_ms = 0, deleted_ms = $3, purge_after_ms = $4, bytes = 0, named_version = NULL, device_id = NULL,
                fingerprint = NULL, previous_fingerprint = NULL, echoes = NULL, merged_in_effective_ms = NULL, merged_in_client_ms = NULL,
                data = NULL, arrived_ms = greatest(arrived_ms, $3)
            FROM (SELECT entity_type, entity_id, row_number() OVER (ORDER BY seq) AS place FROM sync_data WHERE user_id = $1) n
            WHERE d.user_id = $1 AND d.entity_type = n.entity_type AND d.entity_id = n.entity_id
            """;
        const string epoch = """
            UPDATE sync_metadata SET epoch = $2, first_seq = $3, last_seq = $4, digest = $5, last_sync_ms = greatest(last_sync_ms, $6),
                rights = rights + 1
            WHERE user_id = $1
            """;
        var count = await Run(connection, tombstones, cancel, user.Value, first, nowMs, nowMs + Retention.ErasedTombstoneMs);
        foreach (var table in (string[])["sync_conflicts", "sync_versions", "sync_devices", "idempotency_keys"])
            await Run(connection, $"DELETE FROM {table} WHERE user_id = $1", cancel, user.Value);
        await Run(
            connection, epoch, cancel, user.Value, UInt128Codec.FreshEpoch().Value, first, first + count - 1,
            UInt128Codec.Encode(UInt128.Zero), nowMs);
    }
}
