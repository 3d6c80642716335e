using Mirubato.Grains.Interfaces;
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

    public async ValueTask<Receipt?> Receipt(UserId user, WriteScope scope, string key, long nowMs, CancellationToken cancel)
    {
        const string sql = $"""
            SELECT {StoredColumns.Receipt} FROM idempotency_keys
            WHERE user_id = $1 AND scope = $2 AND key = $3 AND expires_ms > $4
            """;
        return await Read(sql, p => { p.Text(user.Value); p.Smallint((short)scope); p.Text(key); p.Bigint(nowMs); }, async (row, token) =>
            await row.ReadAsync(token) ? StoredColumns.ReceiptOf(row, scope, key) : null, cancel);
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
