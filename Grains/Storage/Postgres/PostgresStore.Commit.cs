using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    private readonly GroupCommit commits = new(lockingSource, TimeProvider.System);

    /// <summary>Once sent, its outcome is awaited: a caller that went away must not make a commit's fate unknown.</summary>
    public ValueTask<CommitOutcome> Commit(UserId user, Commit commit, CancellationToken cancel)
    {
        CommitRules.Check(commit);
        cancel.ThrowIfCancellationRequested();
        return commits.Run(user, commit);
    }

    public async ValueTask TrimConflicts(UserId user, int keep, CancellationToken cancel)
    {
        const string sql = """
            DELETE FROM sync_conflicts WHERE user_id = $1 AND id = ANY (ARRAY(
                SELECT id FROM sync_conflicts WHERE user_id = $1 ORDER BY created_ms DESC, id DESC OFFSET $2))
            """;
        await Execute(sql, cancel, user.Value, keep);
    }
}
