using System.Diagnostics;
using Mirubato.Grains.Domain;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// Commits of different users that wait together go to PostgreSQL as one batch: one round trip, one transaction, one flush; nobody is
/// answered before it. A commit that finds a free place goes at once. A group that the server undid for the sake of one is repeated,
/// each commit by itself.
/// </summary>
internal sealed class GroupCommit(NpgsqlDataSource source)
{
    /// <summary>Groups under way. With more, each is smaller; with one, a slow group holds everybody up.</summary>
    private const int GroupsMax = 2;

    private const int CommitsPerGroupMax = 64;
    private const int WaitingMax = 4_096;

    /// <summary>
    /// Of documents and answers, and so much for each row, which is work also without a document. A larger commit would hold up the others
    /// and gain nothing by a group.
    /// </summary>
    private const int CommitBytesMax = 64 * 1024;
    private const int RowBytes = 256;

    /// <summary>A commit that has to wait for its user's row is not waited for by the others of its group.</summary>
    private const string LockPatience = "SELECT set_config('lock_timeout', '100ms', true)";

    private readonly Lock gate = new();
    private readonly Queue<WaitingCommit> waiting = new();
    private readonly CommitCommands commands = new();
    private int running;

    public async ValueTask<CommitOutcome> Run(UserId user, Commit commit)
    {
        if (Bytes(commit) > CommitBytesMax) return await RunAlone(user, commit);
        var mine = new WaitingCommit(user, commit);
        List<WaitingCommit>? group = null;
        lock (gate)
        {
            if (waiting.Count >= WaitingMax) throw new StoreUnavailableException("overload", outcomeUnknown: false);
            waiting.Enqueue(mine);
            if (running < GroupsMax)
            {
                running++;
                group = TakeGroup();
            }
        }

        if (group is not null) _ = RunGroups(group);
        return await mine.Answer;
    }

    /// <summary>Runs on no grain's turns once it has waited: it serves many.</summary>
    private async Task RunGroups(List<WaitingCommit> group)
    {
        while (group.Count > 0)
        {
            await RunGroup(group).ConfigureAwait(false);
            lock (gate)
            {
                group = TakeGroup();
                if (group.Count == 0) running--;
            }
        }
    }

    /// <summary>In the order of the users' ids, so that two processes do not wait for each other.</summary>
    private List<WaitingCommit> TakeGroup()
    {
        var group = new List<WaitingCommit>(Math.Min(waiting.Count, CommitsPerGroupMax));
        while (group.Count < CommitsPerGroupMax && waiting.TryDequeue(out var next)) group.Add(next);
        group.Sort(static (a, b) => string.CompareOrdinal(a.User.Value, b.User.Value));
        return group;
    }

    private async Task RunGroup(List<WaitingCommit> group)
    {
        using var span = Tracing.Start("transaction", ActivityKind.Client, [.. group.Select(one => one.Trace)]);
        span?.SetTag("mirubato.commits", group.Count);
        NpgsqlConnection connection;
        try
        {
            connection = await Open().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            FailAll(group, e);
            return;
        }

        try
        {
            await using (connection.ConfigureAwait(false)) await Execute(connection, group).ConfigureAwait(false);
            foreach (var one in group) one.Succeed();
        }
        catch (Exception e) when (PostgresFaults.IsUndone(e))
        {
            foreach (var one in group) _ = RunAlone(one);
        }
        catch (Exception e)
        {
            foreach (var one in group) one.Fail(PostgresFaults.IsFault(e) ? PostgresFaults.FromCommit(e) : e);
        }
    }

    /// <summary>All of it is read before anything is believed: the transaction ends after the last result.</summary>
    private async Task Execute(NpgsqlConnection connection, List<WaitingCommit> group)
    {
        var taken = new List<CommitCommand>(group.Count);
        foreach (var (user, commit) in group) taken.Add(commands.Take(user, commit));
        await Execute(connection, group, taken).ConfigureAwait(false);
        foreach (var command in taken) commands.Return(command);
    }

    private static async Task Execute(NpgsqlConnection connection, List<WaitingCommit> group, List<CommitCommand> taken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(LockPatience));
        foreach (var command in taken) batch.BatchCommands.Add(command.Statement);
        await using var reader = await batch.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
        foreach (var one in group)
        {
            await reader.NextResultAsync().ConfigureAwait(false);
            one.Outcome = await reader.ReadAsync().ConfigureAwait(false)
                ? new CommitOutcome(CommitResult.Held, reader.GetInt64(0))
                : new CommitOutcome(CommitResult.FenceLost);
        }
    }

    private async Task RunAlone(WaitingCommit one)
    {
        try
        {
            one.Outcome = await RunAlone(one.User, one.Commit).ConfigureAwait(false);
            one.Succeed();
        }
        catch (Exception e)
        {
            one.Fail(e);
        }
    }

    private async Task<CommitOutcome> RunAlone(UserId user, Commit commit)
    {
        await using var connection = await Open().ConfigureAwait(false);
        await using var command = new NpgsqlCommand { Connection = connection };
        var parameters = new CommitParameters(user, commit);
        command.CommandText = CommitSql.For(parameters.Parts);
        parameters.WriteTo(command.Parameters);
        try
        {
            return await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false) is long rights
                ? new CommitOutcome(CommitResult.Held, rights)
                : new CommitOutcome(CommitResult.FenceLost);
        }
        catch (Exception e) when (PostgresFaults.IsReceiptTaken(e))
        {
            return new CommitOutcome(CommitResult.ReceiptTaken);
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.FromCommit(e);
        }
    }

    private async Task<NpgsqlConnection> Open()
    {
        try
        {
            return await source.OpenConnectionAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Known(e);
        }
    }

    private static long Bytes(Commit commit) =>
        commit.Rows.Sum(row => (long)RowBytes + row.Data.Length) + commit.Losers.Sum(loser => (long)loser.Document.Length)
            + commit.Receipts.Sum(receipt => (long)receipt.Response.Length);

    /// <summary>Nothing was sent. What waits would fail alike, each group after a wait of its own.</summary>
    private void FailAll(List<WaitingCommit> group, Exception failure)
    {
        lock (gate)
        {
            while (waiting.TryDequeue(out var next)) group.Add(next);
        }

        foreach (var one in group) one.Fail(failure);
    }
}

/// <summary>A commit that waits for its group, or is in one.</summary>
internal sealed class WaitingCommit(UserId user, Commit commit)
{
    private readonly TaskCompletionSource<CommitOutcome> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public UserId User => user;

    public Commit Commit => commit;

    /// <summary>The span it was asked for in.</summary>
    public ActivityContext Trace { get; } = Tracing.Current;

    public Task<CommitOutcome> Answer => answer.Task;

    /// <summary>What the server said. It counts once the transaction has ended.</summary>
    public CommitOutcome Outcome { get; set; }

    public void Succeed() => answer.TrySetResult(Outcome);

    public void Fail(Exception e) => answer.TrySetException(e);

    public void Deconstruct(out UserId of, out Commit what) => (of, what) = (user, commit);
}
