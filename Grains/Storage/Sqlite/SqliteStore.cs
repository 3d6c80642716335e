using System.Data.Common;

namespace Mirubato.Grains.Storage.Sqlite;

/// <summary>The store that needs nothing installed: one file, one process, one writer, durable at each answer.</summary>
internal sealed partial class SqliteStore : SqlStore, IUserStore, IStoreUpkeep, IAsyncDisposable
{
    private readonly FileStream ownership;
    private readonly SqliteWriter writer;
    private readonly SqliteReaders readers;

    private SqliteStore(string path, FileStream ownership, SqliteOptions options)
        : base(options.SweepRowsMax, options.TombstonesMax)
    {
        this.ownership = ownership;
        writer = new SqliteWriter(new SqliteSession(path, writes: true, options.PagesMax), options);
        readers = new SqliteReaders(path, options);
    }

    /// <exception cref="InvalidOperationException">Another process has the database open.</exception>
    public static SqliteStore Open(string path, SqliteOptions? options = null)
    {
        path = Path.GetFullPath(path);
        PrivateFile.MakeFolder(Path.GetDirectoryName(path)!);
        var ownership = Own(path);
        try
        {
            PrivateFile.MakeDatabase(path);
            return new SqliteStore(path, ownership, options ?? new SqliteOptions());
        }
        catch
        {
            ownership.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await writer.DisposeAsync();
        readers.Dispose();
        await ownership.DisposeAsync();
    }

    protected override ValueTask<List<T>> List<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken cancel, params object[] values) =>
        readers.Read(session => session.List(sql, read, values), cancel);

    protected override ValueTask<int> Execute(string sql, CancellationToken cancel, params object[] values) =>
        writer.Write(session => session.Execute(sql, values), cancel);

    // Coordinators trust their memory, which is right only while no other process writes.
    private static FileStream Own(string path)
    {
        try
        {
            return PrivateFile.Open(path + ".lock", FileShare.None);
        }
        catch (IOException e)
        {
            throw new InvalidOperationException(
                $"Another process uses the database {path} (it holds {path}.lock). Stop it, set Storage:SqlitePath to another file, "
                + "or set Storage:Postgres to run several processes over one database.", e);
        }
    }
}
