using Microsoft.Data.Sqlite;
using Mirubato.Grains.Storage.Sqlite;

namespace Mirubato.Silo;

/// <summary>
/// The SQLite file of the grains' state. It stands beside the main database and is not part of it, so that Orleans's connections never
/// contend with the main database's one writer. The file is prepared before Orleans reads its statements from it, and is closed when the
/// silo has stopped.
/// </summary>
internal sealed class GrainStateFile : ILifecycleParticipant<ISiloLifecycle>
{
    private const int BusySecondsMax = 5;

    private readonly string path;

    /// <param name="database">The main database's file.</param>
    public GrainStateFile(string database)
    {
        path = Beside(database);
        ConnectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = BusySecondsMax }.ToString();
    }

    public string ConnectionString { get; }

    /// <summary><c>data/mirubato.db</c> has <c>data/mirubato.grains.db</c>.</summary>
    public static string Beside(string database) =>
        Path.ChangeExtension(Path.GetFullPath(database), ".grains" + Path.GetExtension(database));

    public void Participate(ISiloLifecycle observer) =>
        observer.Subscribe(nameof(GrainStateFile), ServiceLifecycleStage.RuntimeInitialize, Prepare, Close);

    /// <summary>Running again changes nothing.</summary>
    public async Task Prepare(CancellationToken cancel)
    {
        PrivateFile.MakeDatabase(path);
        await using var connection = new SqliteConnection(ConnectionString);
        await connection.OpenAsync(cancel);
        await Run(connection, "PRAGMA journal_mode = WAL", cancel);
        await Run(connection, $"BEGIN IMMEDIATE; {EmbeddedSql.Read("GrainState.Sqlite.sql")} COMMIT", cancel);
    }

    /// <summary>Closes the pooled connections. The last one moves the write-ahead log into the file.</summary>
    private Task Close(CancellationToken cancel)
    {
        using var connection = new SqliteConnection(ConnectionString);
        SqliteConnection.ClearPool(connection);
        return Task.CompletedTask;
    }

    private static async Task Run(SqliteConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(cancel);
    }
}
