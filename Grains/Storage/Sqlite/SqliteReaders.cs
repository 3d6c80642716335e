using System.Collections.Concurrent;

namespace Mirubato.Grains.Storage.Sqlite;

/// <summary>A few connections that read, each one snapshot at a time, beside the writer and without waiting for it.</summary>
internal sealed class SqliteReaders(string path, SqliteOptions options) : IDisposable
{
    private readonly SemaphoreSlim free = new(options.ReadersMax);
    private readonly ConcurrentBag<SqliteSession> idle = [];

    public async ValueTask<T> Read<T>(Func<SqliteSession, T> work, CancellationToken cancel)
    {
        if (!await free.WaitAsync(TimeSpan.FromSeconds(options.ReaderWaitSecondsMax), cancel))
            throw new StoreUnavailableException("pool", outcomeUnknown: false);
        try
        {
            return Snapshot(work);
        }
        catch (Exception e) when (SqliteFaults.IsFault(e))
        {
            throw SqliteFaults.Known(e);
        }
        finally
        {
            free.Release();
        }
    }

    public void Dispose()
    {
        while (idle.TryTake(out var session)) session.Dispose();
        free.Dispose();
    }

    // A connection on which something failed is not used again.
    private T Snapshot<T>(Func<SqliteSession, T> work)
    {
        if (!idle.TryTake(out var session)) session = new SqliteSession(path, writes: false);
        try
        {
            session.Execute("BEGIN");
            var result = work(session);
            session.Execute("COMMIT");
            idle.Add(session);
            return result;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}
