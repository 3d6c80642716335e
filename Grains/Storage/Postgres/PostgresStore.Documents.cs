using System.Buffers;
using System.Text;
using Mirubato.Grains.Domain;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    /// <summary>
    /// $1 user, $2 device, $3 rows at most, and one more. Each row is one text, because the driver takes about as long for a column as for
    /// its bytes: a type and the document, which begins with a brace; a space and the history state; or nothing, for a document that is too
    /// large to come along. Joining all of them in PostgreSQL would cost it five times as much: it copies a large value several times.
    /// </summary>
    private static readonly string DocumentsSql = $"""
        SELECT ' ' || {HistoryStateText.Sql}
        FROM sync_metadata WHERE user_id = $1
        UNION ALL
        (SELECT CASE WHEN bytes <= {Limits.JoinedDocumentBytesMax} THEN entity_type || data ELSE '' END
        FROM sync_data WHERE user_id = $1 AND deleted_ms IS NULL ORDER BY entity_type, entity_id LIMIT $3)
        """;

    private const int RowBytesMax = EntityTypes.NameLengthMax + Limits.JoinedDocumentBytesMax;

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
        var buffer = ArrayPool<byte>.Shared.Rent(RowBytesMax);
        var fits = true;
        while (await row.ReadAsync(cancel)) Add(row);
        ArrayPool<byte>.Shared.Return(buffer);
        return history is null ? null : fits ? joined.ToLiveDocuments(history) : new LiveDocuments(history, null);

        void Add(NpgsqlDataReader from)
        {
            // The driver's own reader would make a string of it.
            ReadOnlySpan<byte> text = buffer.AsSpan(0, (int)from.GetBytes(0, 0, buffer, 0, buffer.Length));
            var type = text.IndexOf((byte)'{');
            if (text is [(byte)' ', .. var state]) history = HistoryStateText.Parse(Encoding.UTF8.GetString(state));
            else fits = fits && type > 0 && joined.Add(types[types.NumberOf(text[..type])], text[type..]);
        }
    }
}
