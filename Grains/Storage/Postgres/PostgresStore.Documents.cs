using System.Buffers;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    /// <summary>
    /// $1 user, $2 device, $3 rows at most, and one more. The row without a type is the history state; one without data is of a document
    /// too large to come along. Joining them in PostgreSQL would cost it five times as much: it copies a large value several times.
    /// </summary>
    private static readonly string DocumentsSql = $"""
        SELECT NULL::text, NULL::text, {HistoryStateColumns},
            EXISTS (SELECT FROM sync_devices d WHERE d.user_id = $1 AND d.device_id = $2 AND d.revoked_ms IS NOT NULL)
        FROM sync_metadata WHERE user_id = $1
        UNION ALL
        (SELECT entity_type, CASE WHEN bytes <= {Limits.JoinedDocumentBytesMax} THEN data END,
            NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM sync_data WHERE user_id = $1 AND deleted_ms IS NULL ORDER BY entity_type, entity_id LIMIT $3)
        """;

    /// <summary>$4 types.</summary>
    private static readonly string DocumentsOfTypesSql =
        DocumentsSql.Replace(" ORDER BY", " AND entity_type = ANY ($4) ORDER BY", StringComparison.Ordinal);

    public ValueTask<LiveDocuments> Documents(UserId user, DeviceId? device, LiveQuery query, long nowMs, CancellationToken cancel)
    {
        object[] values = [user.Value, ToParameter(device), query.RowsMax + 1];
        return Provisioned(user, nowMs, () => Read(
            query.Types is null ? DocumentsSql : DocumentsOfTypesSql,
            query.Types is null ? values : [.. values, query.Types],
            (row, token) => JoinDocuments(row, query, token), cancel), cancel);
    }

    private static async Task<LiveDocuments?> JoinDocuments(NpgsqlDataReader row, LiveQuery query, CancellationToken cancel)
    {
        HistoryState? history = null;
        var joined = new JoinedDocuments(query);
        var document = ArrayPool<byte>.Shared.Rent(Limits.JoinedDocumentBytesMax);
        var fits = true;
        while (await row.ReadAsync(cancel))
        {
            if (row.IsDBNull(0)) history = ReadHistoryState(row, 2);
            else fits = fits && !row.IsDBNull(1) && joined.Add(row.GetString(0), Take(row, document));
        }

        ArrayPool<byte>.Shared.Return(document);
        return history is null ? null : fits ? joined.ToLiveDocuments(history) : new LiveDocuments(history, null);
    }

    private static ReadOnlySpan<byte> Take(NpgsqlDataReader row, byte[] document) =>
        document.AsSpan(0, (int)row.GetBytes(1, 0, document, 0, document.Length));
}
