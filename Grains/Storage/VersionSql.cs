using System.Data.Common;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

/// <summary>What both stores read of versions, present states among them, and how they thin them.</summary>
internal static class VersionSql
{
    private const string Times = """
        entity_type, entity_id, version, published_ms, effective_ms, coalesce(merged_in_effective_ms, effective_ms) AS change_effective_ms,
        coalesce(merged_in_client_ms, client_ms) AS change_client_ms, device_id, fingerprint, arrived_ms
        """;

    /// <summary>Present states, as rows that <see cref="Read"/> understands.</summary>
    public const string Present = $"SELECT {Times}, CAST(NULL AS bigint) AS replaced_ms, created_ms, bytes, data FROM sync_data";

    /// <summary>States that were replaced.</summary>
    public const string Replaced = $"SELECT {Times}, replaced_ms, CAST(0 AS bigint) AS created_ms, bytes, data FROM sync_versions";

    /// <summary>$1 user, $2 type, $3 id, $4 before which version, $5 rows. Newest first.</summary>
    public const string History = $"""
        SELECT * FROM (
            {Present} WHERE user_id = $1 AND entity_type = $2 AND entity_id = $3
            UNION ALL
            {Replaced} WHERE user_id = $1 AND entity_type = $2 AND entity_id = $3) h
        WHERE version < $4 ORDER BY version DESC LIMIT $5
        """;

    /// <summary>$1 user, $2 type, $3 id, $4 version: what comes after it by key. $5 rows.</summary>
    public const string Export = $"""
        {Replaced} WHERE user_id = $1 AND (entity_type, entity_id, version) > ($2, $3, $4)
        ORDER BY entity_type, entity_id, version LIMIT $5
        """;

    /// <summary>$1 user, $2 time, $3 type, $4 id: entities behind that key that changed after that time. $5 rows.</summary>
    public const string ChangedSince = $"""
        {Present} WHERE user_id = $1 AND arrived_ms > $2 AND (entity_type, entity_id) > ($3, $4) ORDER BY entity_type, entity_id LIMIT $5
        """;

    // One of each minute, hour and day, the newest; the numbers keep the kinds apart. What is left counts against the bounds, newest first.
    // What the feed names counts as well, but stays.
    private const string Doomed = """
        SELECT entity_type, entity_id, version FROM (
            SELECT entity_type, entity_id, version, is_named, kept_bytes,
                sum(kept_bytes) OVER (PARTITION BY entity_type, entity_id ORDER BY version DESC) AS of_entity,
                sum(kept_bytes) OVER (ORDER BY replaced_ms DESC, entity_type, entity_id, version DESC) AS of_user
            FROM (
                SELECT entity_type, entity_id, version, replaced_ms, is_named,
                    CASE WHEN is_named OR (replaced_ms > @now - @days AND row_number() OVER (
                        PARTITION BY entity_type, entity_id, CASE
                            WHEN replaced_ms > @now - 600000 THEN -version
                            WHEN replaced_ms > @now - 3600000 THEN replaced_ms / 60000
                            WHEN replaced_ms > @now - 86400000 THEN 1000000000 + replaced_ms / 3600000
                            ELSE 2000000000 + replaced_ms / 86400000 END
                        ORDER BY version DESC) = 1) THEN bytes + 256 END AS kept_bytes
                FROM (
                    SELECT entity_type, entity_id, version, replaced_ms, bytes, (entity_type, entity_id, version) IN (
                        SELECT entity_type, entity_id, replaced_version FROM sync_conflicts
                        WHERE user_id = @user AND replaced_version IS NOT NULL) AS is_named
                    FROM sync_versions WHERE user_id = @user) stored) placed) bounded
        WHERE NOT is_named AND (kept_bytes IS NULL OR of_entity > @entity OR of_user > @total) LIMIT @rows
        """;

    /// <summary>The condition that a row of sync_versions goes, with parameters in the places that are named.</summary>
    public static string Thinned(string user, string now, string entity, string total, string rows)
    {
        var doomed = Doomed.Replace("@user", user, StringComparison.Ordinal)
            .Replace("@now", now, StringComparison.Ordinal)
            .Replace("@days", $"{Retention.VersionMs}", StringComparison.Ordinal)
            .Replace("@entity", entity, StringComparison.Ordinal)
            .Replace("@total", total, StringComparison.Ordinal)
            .Replace("@rows", rows, StringComparison.Ordinal);
        return $"user_id = {user} AND (entity_type, entity_id, version) IN ({doomed})";
    }

    public static StoredVersion Read(DbDataReader row)
    {
        var device = row.IsDBNull(7) ? null : (DeviceId?)new DeviceId(row.GetString(7));
        return new StoredVersion(
            new EntityKey(row.GetString(0), row.GetString(1)), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4),
            new ChangeTime(row.GetInt64(5), row.GetInt64(6), device),
            row.IsDBNull(8) ? Fingerprint.None : new Fingerprint(UInt128Codec.Decode(row.GetFieldValue<byte[]>(8))), row.GetInt64(9),
            row.IsDBNull(10) ? null : row.GetInt64(10), row.GetInt64(11),
            row.IsDBNull(13) ? default(ReadOnlyMemory<byte>) : row.GetFieldValue<byte[]>(13));
    }
}
