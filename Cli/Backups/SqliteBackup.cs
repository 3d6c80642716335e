using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Mirubato.Cli.Backups;

internal sealed class SqliteBackup(string path) : StoreBackup
{
    private static readonly string[] Companions = ["-wal", "-shm"];

    public override Task Write(FileInfo file, CancellationToken cancel)
    {
        if (!File.Exists(path))
            throw new CommandFailedException(ExitCode.Failed, $"There is no database {path}: check Storage:SqlitePath.");
        PrivateFiles.Create(file.FullName).Dispose();
        using (var from = Open(path, SqliteOpenMode.ReadOnly))
        {
            using var to = Open(file.FullName, SqliteOpenMode.ReadWrite);
            from.BackupDatabase(to);
        }

        Check(file.FullName);
        return Task.CompletedTask;
    }

    public override Task<string?> Restore(FileInfo file, CancellationToken cancel)
    {
        Check(file.FullName);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var stopped = Own();
        var incoming = path + ".restoring";
        File.Copy(file.FullName, incoming, overwrite: true);
        PrivateFiles.Restrict(incoming);
        var kept = File.Exists(path) ? KeepAside() : null;
        File.Move(incoming, path);
        return Task.FromResult(kept);
    }

    /// <summary>The lock that a server holds while it runs.</summary>
    private FileStream Own()
    {
        try
        {
            return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new CommandFailedException(ExitCode.Failed, $"A server uses {path} (it holds {path}.lock): stop it first.");
        }
    }

    /// <summary>With what of it is in its write-ahead log.</summary>
    private string KeepAside()
    {
        using (var old = Open(path, SqliteOpenMode.ReadWrite))
        {
            using var command = old.CreateCommand();
            command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            command.ExecuteNonQuery();
        }

        var kept = $"{path}.before-{TimeProvider.System.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}";
        File.Move(path, kept);
        foreach (var companion in Companions) File.Delete(path + companion);
        return kept;
    }

    private static void Check(string file)
    {
        try
        {
            using var connection = Open(file, SqliteOpenMode.ReadOnly);
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT max(version) FROM schema_migrations";
            command.ExecuteScalar();
            command.CommandText = "PRAGMA quick_check(1)";
            if (command.ExecuteScalar() is "ok") return;
        }
        catch (SqliteException wrong)
        {
            throw new CommandFailedException(
                ExitCode.Failed, $"{file} is no whole backup of this server ({wrong.Message}): name another file.");
        }

        throw new CommandFailedException(ExitCode.Failed, $"{file} is damaged: name another file.");
    }

    private static SqliteConnection Open(string file, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = file, Mode = mode, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }
}
