using Mirubato.Grains.Domain;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    public async ValueTask<CommitOutcome> Commit(UserId user, Commit commit, CancellationToken cancel)
    {
        CommitRules.Check(commit);
        await using var connection = await OpenForCommit(cancel);
        await using var command = new NpgsqlCommand { Connection = connection };
        command.CommandText = CommitSql.For(CommitParameters.Add(command.Parameters, user, commit));
        try
        {
            // Once sent, its outcome is awaited: a caller that went away must not make a commit's fate unknown.
            return await command.ExecuteScalarAsync(CancellationToken.None) is long rights
                ? new CommitOutcome(CommitResult.Held, rights)
                : new CommitOutcome(CommitResult.FenceLost);
        }
        catch (Exception e) when (PostgresFaults.IsReceiptTaken(e))
        {
            return new CommitOutcome(CommitResult.ReceiptTaken);
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.OfCommit(e);
        }
    }

    public async ValueTask TrimConflicts(UserId user, int keep, CancellationToken cancel)
    {
        const string sql = """
            DELETE FROM sync_conflicts WHERE user_id = $1 AND id = ANY (ARRAY(
                SELECT id FROM sync_conflicts WHERE user_id = $1 ORDER BY created_ms DESC, id DESC OFFSET $2))
            """;
        await Execute(sql, cancel, user.Value, keep);
    }

    private async ValueTask<NpgsqlConnection> OpenForCommit(CancellationToken cancel)
    {
        try
        {
            return await source.OpenConnectionAsync(cancel);
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Known(e);
        }
    }
}
