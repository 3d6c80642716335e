using System.Globalization;
using Microsoft.Data.Sqlite;
using Mirubato.Grains;

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
        DeleteCompanions(incoming);
        File.Copy(file.FullName, incoming, overwrite: true);
        PrivateFiles.Restrict(incoming);
        Execute(incoming, Administration.MarkRestore);
        return Task.FromResult(PutInPlace(incoming));
    }

    /// <summary>In one step: at no moment is there no database, of which a server would make an empty one.</summary>
    private string? PutInPlace(string incoming)
    {
        if (!File.Exists(path))
        {
            File.Move(incoming, path);
            return null;
        }

        var kept = $"{path}.before-{TimeProvider.System.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}";
        try
        {
            // What the old one has in its write-ahead log is moved into it, unless it is damaged.
            Execute(path, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException)
        {
            foreach (var companion in Companions.Where(companion => File.Exists(path + companion)))
                File.Copy(path + companion, kept + companion);
        }

        DeleteCompanions(path);
        File.Replace(incoming, path, kept);
        return kept;
    }

    private static void DeleteCompanions(string database)
    {
        foreach (var companion in Companions) File.Delete(database + companion);
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

    private static void Execute(string file, string sql)
    {
        using var connection = Open(file, SqliteOpenMode.ReadWrite);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
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
