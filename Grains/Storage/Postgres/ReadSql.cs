using System.Collections.Frozen;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// Rows and history state in one statement, hence one snapshot: the history state is the row without an entity type. It is cheaper than a
/// transaction of two statements, and than repeating the history state beside every row.
/// </summary>
internal static class ReadSql
{
    /// <summary>$1 user.</summary>
    public const string State = $"{StateColumns} WHERE user_id = $1";

    /// <summary>$1 users.</summary>
    public const string States = $"{StateColumns} WHERE user_id = ANY ($1)";

    private const string StateColumns = $"""
        SELECT {SqlStore.HistoryStateColumns}, false,
            ARRAY(SELECT device_id FROM sync_devices d WHERE d.user_id = m.user_id AND revoked_ms IS NOT NULL ORDER BY device_id),
            (SELECT count(*)::int FROM sync_devices d WHERE d.user_id = m.user_id AND revoked_ms IS NULL),
            user_id
        FROM sync_metadata m
        """;

    /// <summary>$1 user, $2 after.</summary>
    public const string Heads = $"""
        SELECT NULL::text, NULL::text, last_seq, first_seq, tombstone_horizon, last_sync_ms, not_before_ms, created_ms,
            rights, 0, NULL::bigint, epoch::text, digest, NULL::bytea, NULL::bytea, NULL::bigint, NULL::bigint
        FROM sync_metadata WHERE user_id = $1
        UNION ALL
        SELECT {HeadReader.Columns}
        FROM sync_data WHERE user_id = $1 AND seq > $2
        """;

    private const string PageHistoryState = $"""
        SELECT NULL::text, NULL::text, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, {HistoryStateText.Sql}
        FROM sync_metadata WHERE user_id = $1
        UNION ALL

        """;

    // A document larger than its share of a page is left out, and the reader then asks again with the sum of bytes: that sum would cost
    // every page a third of its speed, and hardly any page comes near the bound.
    private static readonly string Quick =
        $"(SELECT entity_type, entity_id, seq, version, published_ms, deleted_ms, CASE WHEN bytes <= {Limits.PageBytesMax} / $4 THEN "
        + $"data END FROM sync_data";

    // One entity past the bound of a page: so the reader sees the row it stops at, and the server never unpacks those behind it.
    private const string Measured = $"""
        SELECT {StoredColumns.Row}
        FROM (SELECT *, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) - bytes AS before
              FROM (SELECT {StoredColumns.Row}, bytes FROM sync_data
        """;

    private static readonly string MeasuredEnd = $") chosen) measured WHERE before <= {Limits.PageBytesMax + Limits.StoredBytesMax}";

    private static readonly FrozenDictionary<PageForm, string> QuickPages =
        PageForm.Statements(form => PageHistoryState + Quick + Chosen(form) + ")");

    private static readonly FrozenDictionary<PageForm, string> MeasuredPages =
        PageForm.Statements(form => PageHistoryState + Measured + Chosen(form) + MeasuredEnd);

    /// <summary>
    /// $1 user, $2 device, $3 after, $4 limit, then the types ($5) if any, then the key to go on after (two).
    /// Unless <paramref name="measured"/>, a live row without data is one too large to come along.
    /// </summary>
    public static string Page(ReadQuery query, bool measured) => (measured ? MeasuredPages : QuickPages)[PageForm.From(query)];

    private static string Chosen(PageForm form)
    {
        var types = form.Types switch
        {
            TypeFilter.Only => " AND entity_type = ANY ($5)",
            TypeFilter.Except => " AND entity_type <> ALL ($5)",
            _ => "",
        };
        return $" WHERE user_id = $1 AND seq > $3{form.KindCondition}{types}{form.Order(types.Length == 0 ? 5 : 6)} LIMIT $4";
    }
}
