using System.Threading.Channels;

namespace Mirubato.Grains.Storage.Sqlite;

/// <summary>
/// The only one who writes. Writes that wait together share a transaction, a savepoint each, and so one fsync; nobody is answered
/// before it.
/// </summary>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private readonly SqliteSession session;
    private readonly int groupMax;
    private readonly Channel<SqliteWrite> waiting;
    private readonly Task writing;

    public SqliteWriter(SqliteSession session, SqliteOptions options)
    {
        this.session = session;
        groupMax = options.GroupMax;
        waiting = Channel.CreateBounded<SqliteWrite>(new BoundedChannelOptions(options.WritesWaitingMax) { SingleReader = true });
        writing = Task.Run(WriteGroups);
    }

    /// <summary>Why the last write was not stored; null when it was.</summary>
    public string? Trouble { get; private set; }

    public async ValueTask<T> Write<T>(Func<SqliteSession, T> work, CancellationToken cancel)
    {
        var write = new SqliteWrite<T>(work, cancel);
        if (!waiting.Writer.TryWrite(write)) throw new StoreUnavailableException("overload", outcomeUnknown: false);
        return await write.Answer;
    }

    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await writing;
        session.Dispose();
    }

    private async Task WriteGroups()
    {
        var group = new List<SqliteWrite>(groupMax);
        while (await waiting.Reader.WaitToReadAsync())
        {
            while (group.Count < groupMax && waiting.Reader.TryRead(out var write))
            {
                if (!write.TryCancel()) group.Add(write);
            }

            if (group.Count > 0) WriteGroup(group);
            group.Clear();
        }
    }

    private void WriteGroup(List<SqliteWrite> group)
    {
        if (!TryRun(group) || !TryCommit(group)) return;
        foreach (var write in group) write.Answered();
    }

    // A full disk makes SQLite roll the whole transaction back: then no write of the group was stored.
    private bool TryRun(List<SqliteWrite> group)
    {
        try
        {
            session.Execute("BEGIN IMMEDIATE");
            foreach (var write in group) RunAlone(write);
            return true;
        }
        catch (Exception e)
        {
            Fail(group, SqliteFaults.IsFault(e) ? SqliteFaults.Known(e) : e);
            return false;
        }
    }

    private void RunAlone(SqliteWrite write)
    {
        session.Execute("SAVEPOINT one");
        try
        {
            write.Run(session);
        }
        catch (Exception e) when (!SqliteFaults.IsFault(e))
        {
            session.Execute("ROLLBACK TO one");
            write.Failed(e);
        }

        session.Execute("RELEASE one");
    }

    private bool TryCommit(List<SqliteWrite> group)
    {
        try
        {
            session.Execute("COMMIT");
            Trouble = null;
            return true;
        }
        catch (Exception e)
        {
            Fail(group, SqliteFaults.IsFault(e) ? SqliteFaults.FromCommit(e) : e);
            return false;
        }
    }

    private void Fail(List<SqliteWrite> group, Exception failure)
    {
        Undo();
        Trouble = (failure as StoreUnavailableException)?.Reason;
        foreach (var write in group) write.Failed(failure);
    }

    private void Undo()
    {
        try
        {
            session.Execute("ROLLBACK");
        }
        catch (Microsoft.Data.Sqlite.SqliteException)
        {
            // SQLite had already done so.
        }
    }
}
