using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    public async ValueTask<List<ConflictReport>> Conflicts(UserId user, string? after, int limit, CancellationToken cancel)
    {
        const string newest = $"SELECT {StoredColumns.Conflict} FROM sync_conflicts WHERE user_id = $1 ORDER BY created_ms DESC, id DESC LIMIT $2";
        const string older = $"""
            SELECT {StoredColumns.Conflict} FROM sync_conflicts
            WHERE user_id = $1 AND (created_ms, id) < (SELECT created_ms, id FROM sync_conflicts WHERE user_id = $1 AND id = $3)
            ORDER BY created_ms DESC, id DESC LIMIT $2
            """;
        return await List(after is null ? newest : older, p =>
        {
            p.Text(user.Value);
            p.Integer(limit);
            if (after is not null) p.Text(after);
        }, StoredColumns.ConflictOf, cancel);
    }

    public async ValueTask<ConflictReport?> Conflict(UserId user, string id, CancellationToken cancel)
    {
        const string sql = $"SELECT {StoredColumns.Conflict} FROM sync_conflicts WHERE user_id = $1 AND id = $2";
        var found = await List(sql, p => { p.Text(user.Value); p.Text(id); }, StoredColumns.ConflictOf, cancel);
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
}
