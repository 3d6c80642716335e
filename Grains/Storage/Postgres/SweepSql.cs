namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// The batches of a sweep, one statement each: a process that stands still in the middle of one holds no lock. Each batch locks the row of
/// the lease before it changes anything, so that no other process takes the lease while it runs; it answers whether it held the lease and
/// how many rows it changed. $1 holder, $2 now.
/// </summary>
internal static class SweepSql
{
    private const string Lease = $"WITH lease AS ({SweepLease.HeldSql} FOR SHARE)";
    private const string Result = "SELECT (SELECT count(*)::int FROM lease), (SELECT count(*)::int FROM swept)";

    private const string Stale = """
        deleted_ms <= $3 AND deleted_ms IS NOT NULL AND (echoes IS NOT NULL OR previous_fingerprint IS NOT NULL)
        """;

    /// <summary>$3 deleted up to, $4 rows. A tombstone stays as long as its user; what only a recent one is asked for goes.</summary>
    public const string StripTombstones = $"""
        {Lease},
        swept AS (
            UPDATE sync_data SET echoes = NULL, previous_fingerprint = NULL, previous_published_ms = 0
            WHERE {Stale} AND ctid = ANY (ARRAY(
                SELECT ctid FROM sync_data WHERE {Stale}
                    AND EXISTS (SELECT FROM lease) ORDER BY deleted_ms LIMIT $4 FOR UPDATE SKIP LOCKED))
            RETURNING 1)
        {Result}
        """;

    /// <summary>$3 user, $4 purge up to, $5 rows.</summary>
    public static readonly string PurgeErased = RemoveTombstones(
        "SELECT seq FROM sync_data WHERE user_id = $3 AND deleted_ms IS NOT NULL AND purge_after_ms <= $4 ORDER BY seq LIMIT $5");

    /// <summary>$3 user, $4 tombstones that stay, $5 rows. Counts no further than it must.</summary>
    public static readonly string TrimTombstones = RemoveTombstones("""
        SELECT seq FROM sync_data WHERE user_id = $3 AND deleted_ms IS NOT NULL ORDER BY seq LIMIT greatest(0, (
            SELECT count(*) FROM (SELECT FROM sync_data WHERE user_id = $3 AND deleted_ms IS NOT NULL LIMIT $4 + $5) counted) - $4)
        """);

    /// <summary>$3 user, $4 rows.</summary>
    public static readonly string ThinVersions = $"""
        {Lease},
        swept AS (
            DELETE FROM sync_versions WHERE EXISTS (SELECT FROM lease)
                AND {VersionSql.Thinned("$3", "$2", $"{long.MaxValue}", $"{long.MaxValue}", "$4")}
            RETURNING 1)
        {Result}
        """;

    /// <summary>$3 up to which age, $4 rows. SKIP LOCKED: a receipt being replaced, or a device being seen, is no longer old.</summary>
    public static string DeleteOld(string table, string age) => $"""
        {Lease},
        swept AS (
            DELETE FROM {table} WHERE {age} <= $3 AND ctid = ANY (ARRAY(
                SELECT ctid FROM {table} WHERE {age} <= $3 AND EXISTS (SELECT FROM lease) ORDER BY {age} LIMIT $4 FOR UPDATE SKIP LOCKED))
            RETURNING 1)
        {Result}
        """;

    // The user's row is locked first, as by every commit, and the rows after it. What a commit changed meanwhile has another revision by
    // then, and is no longer among the chosen. The horizon rises over the highest that went.
    private static string RemoveTombstones(string chosen) => $"""
        {Lease},
        owner AS (SELECT user_id FROM sync_metadata WHERE user_id = $3 AND EXISTS (SELECT FROM lease) FOR NO KEY UPDATE),
        swept AS (DELETE FROM sync_data WHERE user_id = (SELECT user_id FROM owner) AND seq = ANY (ARRAY({chosen})) RETURNING seq),
        horizon AS (
            UPDATE sync_metadata m SET tombstone_horizon = top.seq, rights = rights + 1
            FROM (SELECT max(seq) AS seq FROM swept) top WHERE m.user_id = $3 AND m.tombstone_horizon < top.seq)
        {Result}
        """;
}
