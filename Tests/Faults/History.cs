using Npgsql;

namespace Mirubato.Tests.Faults;

/// <summary>One revision as it was committed. Without a marker it is a tombstone.</summary>
internal sealed record CommittedRow(
    string User, FaultEntity Entity, long Seq, long Version, long EffectiveMs, long ClientMs, string? Device, bool IsDeleted,
    string? Marker, DateTimeOffset At);

/// <summary>All that was ever committed, by user and revision, and what the store kept beside it.</summary>
internal sealed class History
{
    /// <summary>The documents of the conflict feed, which are its own or those of versions.</summary>
    public const string KeptDocuments = """
        SELECT c.user_id, coalesce(c.document, v.data) AS document FROM sync_conflicts c
        LEFT JOIN sync_versions v ON v.user_id = c.user_id AND v.entity_type = c.entity_type AND v.entity_id = c.entity_id
            AND v.version = c.replaced_version
        """;

    private readonly Dictionary<CommittedRow, CommittedRow> next = [];

    private History(IReadOnlyList<CommittedRow> rows)
    {
        Rows = rows;
        foreach (var entity in rows.GroupBy(row => (row.User, row.Entity)))
        {
            var chain = entity.OrderBy(row => row.Seq).ToList();
            for (var i = 1; i < chain.Count; i++) next[chain[i - 1]] = chain[i];
        }
    }

    public IReadOnlyList<CommittedRow> Rows { get; }

    /// <summary>Markers of the conflict feed, with their users.</summary>
    public HashSet<(string User, string Marker)> Feed { get; } = [];

    public HashSet<(string User, string Key)> Receipts { get; } = [];

    public Dictionary<string, long> Heads { get; } = [];

    public static async Task<History> Load(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        var rows = await Read(
            connection,
            "SELECT user_id, entity_type, entity_id, seq, version, effective_ms, client_ms, device_id, is_deleted, marker, at FROM "
            + "audit ORDER BY user_id, seq",
            row => new CommittedRow(
                row.GetString(0), new FaultEntity(
                    FaultType.Find(row.GetString(1)), row.GetString(2)), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6),
                row.IsDBNull(7) ? null : row.GetString(7), row.GetBoolean(8), row.IsDBNull(9) ? null : row.GetString(9),
                row.GetFieldValue<DateTimeOffset>(10)));
        var history = new History(rows);
        history.Feed.UnionWith(
            await Read(
                connection,
                $"SELECT user_id, document::json ->> 'notes' FROM ({KeptDocuments}) kept WHERE document::json ->> 'notes' IS NOT NULL",
                row => (row.GetString(0), row.GetString(1))));
        history.Receipts.UnionWith(
            await Read(connection, "SELECT user_id, key FROM idempotency_keys", row => (row.GetString(0), row.GetString(1))));
        foreach (
            var (user, head) in await Read(
                connection, "SELECT user_id, last_seq FROM sync_metadata", row => (row.GetString(0), row.GetInt64(1))))
        {
            history.Heads[user] = head;
        }
        return history;
    }

    public CommittedRow? Next(CommittedRow row) => next.GetValueOrDefault(row);

    /// <summary>The winner of a tie is announced again: the same change as a new revision.</summary>
    public static bool IsAnnouncedAgain(CommittedRow row, CommittedRow by) =>
        by.Marker == row.Marker && by.IsDeleted == row.IsDeleted && by.EffectiveMs == row.EffectiveMs && by.ClientMs == row.ClientMs;

    /// <summary>Where a frame moved a cursor past a revision that this socket had not been sent, though it still stood.</summary>
    public IEnumerable<string> Overtaken(SocketTrail trail)
    {
        var rows = Rows.Where(row => row.User == trail.User).ToList();
        var received = new Dictionary<FaultEntity, long>();
        var cursor = trail.From;
        var at = rows.FindIndex(row => row.Seq > cursor);
        foreach (var point in trail.Points)
        {
            foreach (var (entity, version) in point.Received) received[entity] = Math.Max(received.GetValueOrDefault(entity), version);
            if (point.Own is { } own && Own(rows, own) is { } written)
            {
                received[written.Entity] = Math.Max(received.GetValueOrDefault(written.Entity), written.Version);
                if (written.Marker?.StartsWith(trail.Device + "-", StringComparison.Ordinal) is false)
                {
                    yield return $"{trail}: acknowledged as its own what is {written}: {point.Text}";
                }
            }

            for (; at >= 0 && at < rows.Count && rows[at].Seq <= point.Reached; at++)
            {
                var row = rows[at];
                var isReplaced = Next(row) is { } by && by.At <= point.At;
                if (received.GetValueOrDefault(row.Entity) < row.Version && !isReplaced)
                {
                    yield return $"{trail}: moved to {point.Reached} without {row.Entity} of revision {row.Seq}: {point.Text}";
                }
            }

            if (point.Reached > (rows.Count == 0 ? 0 : rows[^1].Seq))
            {
                yield return $"{trail}: moved to {point.Reached}, which was never committed: {point.Text}";
            }
        }
    }

    private static CommittedRow? Own(List<CommittedRow> rows, long seq) => seq >= 1 && seq <= rows.Count ? rows[(int)seq - 1] : null;

    private static async Task<List<T>> Read<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> of)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var all = new List<T>();
        while (await reader.ReadAsync()) all.Add(of(reader));
        return all;
    }
}
