using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// Rows and standing in one statement, hence one snapshot: the standing is the row without an entity type. It is cheaper than a
/// transaction of two statements, and than repeating the standing beside every row.
/// </summary>
internal static class ReadSql
{
    /// <summary>$1 user, $2 device.</summary>
    public const string Standing = """
        SELECT epoch, first_seq, last_seq, tombstone_horizon, digest, last_sync_ms, not_before_ms, created_ms,
            EXISTS (SELECT FROM sync_devices d WHERE d.user_id = $1 AND d.device_id = $2 AND d.revoked_ms IS NOT NULL)
        FROM sync_metadata WHERE user_id = $1
        """;

    /// <summary>$1 user, $2 after.</summary>
    public const string Heads = """
        SELECT NULL::text, NULL::text, last_seq, first_seq, tombstone_horizon, last_sync_ms, not_before_ms, created_ms,
            NULL::bigint, 0, false, epoch::text, NULL::text, digest, NULL::bytea, NULL::bytea
        FROM sync_metadata WHERE user_id = $1
        UNION ALL
        SELECT entity_type, entity_id, seq, version, stamp_ms, claim_ms, out_ms, previous_out_ms,
            deleted_ms, bytes, recognizable, device_id, duplicate_of, fingerprint, previous_fingerprint, echoes
        FROM sync_data WHERE user_id = $1 AND seq > $2
        """;

    // 256 KiB past the bound of a page: so the reader sees the row it stops at, and the server never unpacks those behind it.
    private const string PageStart = """
        SELECT NULL::text, NULL::text, last_seq, first_seq, last_sync_ms, tombstone_horizon,
            concat_ws(' ', epoch::text, encode(digest, 'hex'), not_before_ms::text, created_ms::text,
                (EXISTS (SELECT FROM sync_devices d WHERE d.user_id = $1 AND d.device_id = $2 AND d.revoked_ms IS NOT NULL))::int::text)
        FROM sync_metadata WHERE user_id = $1
        UNION ALL
        (SELECT entity_type, entity_id, seq, version, out_ms, deleted_ms, data
        FROM sync_data WHERE user_id = $1 AND seq > $3
        """;

    private static readonly string[] Pages = [.. Enumerable.Range(0, 18).Select(form => BuildPage(form % 3, form / 3 % 3, form >= 9))];

    /// <summary>$1 user, $2 device, $3 after, $4 limit, then the types ($5) if any, then the key to go on after (two).</summary>
    public static string Page(ReadQuery query) =>
        Pages[(int)query.Kind + 3 * (query.Types is null ? 0 : query.ExceptTypes ? 2 : 1) + (query.AfterKey is null ? 0 : 9)];

    private static string BuildPage(int kind, int types, bool byKey)
    {
        var next = types == 0 ? 5 : 6;
        return PageStart
            + (RowKind)kind switch
            {
                RowKind.Live => " AND deleted_ms IS NULL",
                RowKind.Tombstones => " AND deleted_ms IS NOT NULL",
                _ => "",
            }
            + types switch { 1 => " AND entity_type = ANY ($5)", 2 => " AND entity_type <> ALL ($5)", _ => "" }
            + (byKey ? $" AND (entity_type, entity_id) > (${next}, ${next + 1}) ORDER BY entity_type, entity_id" : " ORDER BY seq")
            + " LIMIT $4)";
    }
}
