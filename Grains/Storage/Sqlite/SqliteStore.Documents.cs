using System.Text.Json;
using SQLitePCL;

namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    /// <summary>$1 user, $2 rows at most, and one more.</summary>
    private const string DocumentsSql =
        "SELECT entity_type, data FROM sync_data WHERE user_id = $1 AND deleted_ms IS NULL ORDER BY entity_type, entity_id LIMIT $2";

    /// <summary>$3 types as a JSON array.</summary>
    private static readonly string DocumentsOfTypesSql = DocumentsSql.Replace(
        " ORDER BY", " AND entity_type IN (SELECT value FROM json_each($3)) ORDER BY", StringComparison.Ordinal);

    public ValueTask<LiveDocuments> Documents(UserId user, DeviceId? device, LiveQuery query, long nowMs, CancellationToken cancel) =>
        Provisioned(user, nowMs, () => readers.Read(session => Documents(session, user, device, query), cancel), cancel);

    private static LiveDocuments? Documents(SqliteSession session, UserId user, DeviceId? device, LiveQuery query)
    {
        if (ReadHistoryState(session, user, device) is not { } history) return null;
        object[] values = [user.Value, query.RowsMax + 1];
        var joined = new JoinedDocuments(query);

        // A document is copied straight from the memory of SQLite; the reader would make an array of it first.
        session.Each(
            query.Types is null ? DocumentsSql : DocumentsOfTypesSql,
            row => joined.Add(row.GetString(0), raw.sqlite3_column_blob(row.Handle!, 1)),
            query.Types is null ? values : [.. values, JsonSerializer.Serialize(query.Types)]);
        return joined.ToLiveDocuments(history);
    }
}
