namespace Mirubato.Grains.Storage.Sqlite;

/// <summary>The store that needs nothing installed: one file, one process, one writer, durable at each answer.</summary>
internal sealed partial class SqliteStore : IUserStore, IStoreUpkeep, IAsyncDisposable
{
    private readonly FileStream ownership;
    private readonly SqliteOptions options;
    private readonly SqliteWriter writer;
    private readonly SqliteReaders readers;

    private SqliteStore(string path, FileStream ownership, SqliteOptions options)
    {
        this.ownership = ownership;
        this.options = options;
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

    public async ValueTask Ping(CancellationToken cancel) =>
        await readers.Read(session => session.First("SELECT last_seq FROM sync_metadata LIMIT 1", row => row.GetInt64(0)), cancel);

    public async ValueTask DisposeAsync()
    {
        await writer.DisposeAsync();
        readers.Dispose();
        await ownership.DisposeAsync();
    }

    // Coordinators of this engine trust their memory, which only holds while nobody else writes.
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
