using System.Buffers;
using Mirubato.Grains.Domain;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    /// <summary>
    /// $1 user, $2 device, $3 rows at most, and one more. The row without a type is the history state; one without data is of a document
    /// too large to come along. Joining them in PostgreSQL would cost it five times as much: it copies a large value several times.
    /// </summary>
    private static readonly string DocumentsSql = $"""
        SELECT NULL::text, {HistoryStateText.Sql}
        FROM sync_metadata WHERE user_id = $1
        UNION ALL
        (SELECT entity_type, CASE WHEN bytes <= {Limits.JoinedDocumentBytesMax} THEN data END
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
        var (joined, types) = (new JoinedDocuments(query), new Names());
        var value = ArrayPool<byte>.Shared.Rent(Limits.JoinedDocumentBytesMax);
        var fits = true;
        while (await row.ReadAsync(cancel))
        {
            if (row.IsDBNull(0)) history = HistoryStateText.Parse(row.GetString(1));
            else fits = fits && !row.IsDBNull(1) && joined.Add(types[types.NumberOf(Read(row, 0, value))], Read(row, 1, value));
        }

        ArrayPool<byte>.Shared.Return(value);
        return history is null ? null : fits ? joined.ToLiveDocuments(history) : new LiveDocuments(history, null);
    }

    /// <summary>Both columns are text, of which the driver's own reader would make a string.</summary>
    private static ReadOnlySpan<byte> Read(NpgsqlDataReader row, int column, byte[] to) =>
        to.AsSpan(0, (int)row.GetBytes(column, 0, to, 0, to.Length));
}
