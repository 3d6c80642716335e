using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    public async ValueTask<List<ConflictReport>> Conflicts(UserId user, string? after, int limit, CancellationToken cancel)
    {
        const string newest = $"SELECT {StoredColumns.Conflict} FROM sync_conflicts WHERE user_id = ?1 ORDER BY created_ms DESC, id DESC LIMIT ?2";
        const string older = $"""
            SELECT {StoredColumns.Conflict} FROM sync_conflicts
            WHERE user_id = ?1 AND (created_ms, id) < (SELECT created_ms, id FROM sync_conflicts WHERE user_id = ?1 AND id = ?3)
            ORDER BY created_ms DESC, id DESC LIMIT ?2
            """;
        return await readers.Read(
            session => session.List(after is null ? newest : older, StoredColumns.ConflictOf, user.Value, limit, after), cancel);
    }

    public ValueTask<ConflictReport?> Conflict(UserId user, string id, CancellationToken cancel)
    {
        const string sql = $"SELECT {StoredColumns.Conflict} FROM sync_conflicts WHERE user_id = ?1 AND id = ?2";
        return readers.Read(session => session.First(sql, StoredColumns.ConflictOf, user.Value, id), cancel);
    }

    public ValueTask<bool> DeleteConflict(UserId user, string id, CancellationToken cancel) =>
        writer.Write(session => session.Execute("DELETE FROM sync_conflicts WHERE user_id = ?1 AND id = ?2", user.Value, id) > 0, cancel);

    public async ValueTask TrimConflicts(UserId user, int keep, CancellationToken cancel)
    {
        const string sql = """
            DELETE FROM sync_conflicts WHERE user_id = ?1 AND id IN (
                SELECT id FROM sync_conflicts WHERE user_id = ?1 ORDER BY created_ms DESC, id DESC LIMIT -1 OFFSET ?2)
            """;
        await writer.Write(session => session.Execute(sql, user.Value, keep), cancel);
    }
}
