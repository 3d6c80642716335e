using System.Diagnostics;
using Mirubato.Grains.Domain;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// Commits of different users that wait together go to PostgreSQL as one statement: one round trip, one transaction, one flush; nobody is
/// answered before it. A commit goes at once if no group is under way, and else waits for its end: the more wait, the less each costs. A
/// group that the server undid for the sake of one is repeated, each commit by itself.
/// </summary>
internal sealed class GroupCommit
{
    /// <summary>A second group starts only when the first is slow, or when enough commits wait for a whole one.</summary>
    private const int GroupsMax = 2;

    private const int CommitsPerGroupMax = 64;
    private const int WaitingMax = 4_096;

    /// <summary>
    /// Of documents and answers, and so much for each row, which is work also without a document. A larger commit would hold up the others
    /// and gain nothing by a group.
    /// </summary>
    private const int CommitBytesMax = 64 * 1024;
    private const int RowBytes = 256;

    /// <summary>With this much a group has nothing more to gain either.</summary>
    private const int GroupBytesMax = 1024 * 1024;

    /// <summary>A commit that has to wait for its user's row is not waited for by the others of its group.</summary>
    private const string LockPatience = "SELECT set_config('lock_timeout', '100ms', true)";

    /// <summary>A group that takes longer probably waits for a locked row, for the disk or for the network, and not for a core.</summary>
    public static readonly TimeSpan SlowGroup = TimeSpan.FromMilliseconds(20);

    private readonly Lock gate = new();
    private readonly Queue<WaitingCommit> waiting = new();
    private readonly CommitCommands commands = new();

    private readonly NpgsqlDataSource source;
    private readonly TimeProvider time;

    /// <summary>Looks again at what waits, as long as anything does.</summary>
    private readonly ITimer patience;
    private bool isPatienceSet;

    /// <summary>The oldest first.</summary>
    private readonly List<CommitGroup> underWay = new(GroupsMax);

    public GroupCommit(NpgsqlDataSource source, TimeProvider time)
    {
        (this.source, this.time) = (source, time);
        patience = time.CreateTimer(_ => LookAgain(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public async ValueTask<CommitOutcome> Run(UserId user, Commit commit)
    {
        var mine = new WaitingCommit(new UserCommit(user, commit), Bytes(commit));
        if (mine.Bytes > CommitBytesMax) return await RunAlone(mine.What);
        lock (gate)
        {
            if (waiting.Count >= WaitingMax) throw new StoreUnavailableException("overload", outcomeUnknown: false);
            waiting.Enqueue(mine);
        }

        RunGroups();
        return await mine.Answer;
    }

    private void LookAgain()
    {
        lock (gate) isPatienceSet = false;
        RunGroups();
    }

    private void RunGroups()
    {
        if (StartGroup() is { } group) _ = RunGroups(group);
    }

    /// <summary>Runs on no grain's turns once it has waited: it serves many.</summary>
    private async Task RunGroups(CommitGroup first)
    {
        for (var group = first; group is not null; group = StartGroup(after: group))
            await RunGroup(group.Commits).ConfigureAwait(false);
    }

    /// <summary>Null: nothing waits, or it must wait on.</summary>
    private CommitGroup? StartGroup(CommitGroup? after = null)
    {
        lock (gate)
        {
            if (after is not null) underWay.Remove(after);
            CommitGroup? group = null;
            if (MayStart()) underWay.Add(group = new CommitGroup(TakeWaiting(), time.GetTimestamp()));
            if (waiting.Count > 0 && !isPatienceSet) isPatienceSet = patience.Change(SlowGroup, Timeout.InfiniteTimeSpan);
            return group;
        }
    }

    /// <summary>In the order of the users' ids, so that two processes do not wait for each other.</summary>
    private List<WaitingCommit> TakeWaiting()
    {
        var commits = new List<WaitingCommit>(Math.Min(waiting.Count, CommitsPerGroupMax));
        var bytes = 0L;
        while (commits.Count < CommitsPerGroupMax && waiting.TryPeek(out var next) && (bytes += next.Bytes) <= GroupBytesMax)
            commits.Add(waiting.Dequeue());
        commits.Sort(static (a, b) => string.CompareOrdinal(a.What.User.Value, b.What.User.Value));
        return commits;
    }

    private bool MayStart() => waiting.Count > 0 && underWay.Count switch
    {
        0 => true,
        < GroupsMax => waiting.Count >= CommitsPerGroupMax || time.GetElapsedTime(underWay[0].StartedAt) >= SlowGroup,
        _ => false,
    };

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

    private async Task Execute(NpgsqlConnection connection, List<WaitingCommit> group)
    {
        var command = commands.Take(group.ConvertAll(one => one.What));
        await Execute(connection, group, command).ConfigureAwait(false);
        commands.Return(command);
    }

    /// <summary>All of it is read before anything is believed: the transaction ends after the last result.</summary>
    private static async Task Execute(NpgsqlConnection connection, List<WaitingCommit> group, CommitCommand command)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(LockPatience));
        batch.BatchCommands.Add(command.Statement);
        await using var reader = await batch.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
        await reader.NextResultAsync().ConfigureAwait(false);
        while (await reader.ReadAsync().ConfigureAwait(false))
            group[(int)reader.GetInt64(1) - 1].Outcome = new CommitOutcome(CommitResult.Held, reader.GetInt64(0));
    }

    private async Task RunAlone(WaitingCommit one)
    {
        try
        {
            one.Outcome = await RunAlone(one.What).ConfigureAwait(false);
            one.Succeed();
        }
        catch (Exception e)
        {
            one.Fail(e);
        }
    }

    private async Task<CommitOutcome> RunAlone(UserCommit what)
    {
        await using var connection = await Open().ConfigureAwait(false);
        await using var command = new NpgsqlCommand { Connection = connection };
        var parameters = new CommitParameters([what]);
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

internal sealed record CommitGroup(List<WaitingCommit> Commits, long StartedAt);

/// <summary>A commit that waits for its group, or is in one.</summary>
internal sealed class WaitingCommit(UserCommit what, long bytes)
{
    private readonly TaskCompletionSource<CommitOutcome> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public UserCommit What => what;

    public long Bytes => bytes;

    /// <summary>The span it was asked for in.</summary>
    public ActivityContext Trace { get; } = Tracing.Current;

    public Task<CommitOutcome> Answer => answer.Task;

    /// <summary>What the result says; a commit that it does not name lost its fence. It counts once the transaction has ended.</summary>
    public CommitOutcome Outcome { get; set; } = new(CommitResult.FenceLost);

    public void Succeed() => answer.TrySetResult(Outcome);

    public void Fail(Exception e) => answer.TrySetException(e);
}
