using Mirubato.Grains.Interfaces;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    private const string ConflictColumns = "id, entity_type, entity_id, reason, winner_version, device_id, created_ms, document";

    public async ValueTask<IReadOnlyList<ConflictReport>> Conflicts(UserId user, string? after, int limit, CancellationToken cancel)
    {
        const string newest = $"SELECT {ConflictColumns} FROM sync_conflicts WHERE user_id = $1 ORDER BY created_ms DESC, id DESC LIMIT $2";
        const string older = $"""
            SELECT {ConflictColumns} FROM sync_conflicts
            WHERE user_id = $1 AND (created_ms, id) < (SELECT created_ms, id FROM sync_conflicts WHERE user_id = $1 AND id = $3)
            ORDER BY created_ms DESC, id DESC LIMIT $2
            """;
        return await List(after is null ? newest : older, p =>
        {
            p.Text(user.Value);
            p.Integer(limit);
            if (after is not null) p.Text(after);
        }, ConflictOf, cancel);
    }

    public async ValueTask<ConflictReport?> Conflict(UserId user, string id, CancellationToken cancel)
    {
        const string sql = $"SELECT {ConflictColumns} FROM sync_conflicts WHERE user_id = $1 AND id = $2";
        var found = await List(sql, p => { p.Text(user.Value); p.Text(id); }, ConflictOf, cancel);
        return found.Count == 0 ? null : found[0];
    }

    public async ValueTask<bool> DeleteConflict(UserId user, string id, CancellationToken cancel) =>
        await Execute("DELETE FROM sync_conflicts WHERE user_id = $1 AND id = $2", p => { p.Text(user.Value); p.Text(id); }, cancel) > 0;

    public async ValueTask TrimConflicts(UserId user, int keep, CancellationToken cancel)
    {
        const string sql = """
            DELETE FROM sync_conflicts WHERE user_id = $1 AND id = ANY (ARRAY(
                SELECT id FROM sync_conflicts WHERE user_id = $1 ORDER BY created_ms DESC, id DESC OFFSET $2))
            """;
        await Execute(sql, p => { p.Text(user.Value); p.Integer(keep); }, cancel);
    }

    private static ConflictReport ConflictOf(NpgsqlDataReader row) => new(
        row.GetString(0), new EntityKey(row.GetString(1), row.GetString(2)), row.GetString(3), row.GetInt64(4),
        row.IsDBNull(5) ? null : new DeviceId(row.GetString(5)), row.GetInt64(6), row.GetFieldValue<byte[]>(7));
}
