using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Mirubato.Cli.Doctor;

/// <summary>The SQLite file: whether it is whole, who may read it, and whether its schema is this release's.</summary>
internal static class SqliteChecks
{
    private const string Check = "sqlite";
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public static async Task<IReadOnlyList<Finding>> Run(string path)
    {
        path = Path.GetFullPath(path);
        if (!File.Exists(path))
            return [Finding.Warn(
                Check, $"There is no file {path} yet.", "Start the server, which makes it, or correct Storage:SqlitePath.")];
        var findings = new List<Finding>();
        if (!OperatingSystem.IsWindows()) findings.Add(JudgeMode(path, File.GetUnixFileMode(path)));
        try
        {
            await using var connection = Open(path);
            findings.AddRange(JudgeContent(path, connection));
            if (findings[^1].Light is Light.Green) findings.Add(await DigestCheck.Run(connection));
        }
        catch (SqliteException wrong)
        {
            findings.Add(
                Finding.Bad(
                    Check, $"{path} cannot be read: {wrong.Message}",
                    "Give this account the right to read it. If it is damaged, stop the server and restore a backup with mirubato "
                        + "restore."));
        }

        return findings;
    }

    private static Finding JudgeMode(string path, UnixFileMode mode) =>
        (mode & Others) is UnixFileMode.None
            ? Finding.Good(Check, $"Only its owner reads {path}.")
            : Finding.Warn(Check, $"Other accounts may read or write {path}.", $"chmod 600 {path} {path}-wal {path}-shm");

    private static SqliteConnection Open(string path)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    private static IEnumerable<Finding> JudgeContent(string path, SqliteConnection connection)
    {
        var damage = Scalar(connection, "PRAGMA quick_check(1)");
        yield return damage == "ok"
            ? Finding.Good(Check, "The file is whole.")
            : Finding.Bad(Check, $"The file is damaged: {damage}", "Stop the server, and restore a backup with mirubato restore.");
        var made = Scalar(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'schema_migrations'") == "1";
        if (!made)
            yield return Finding.Bad(
                "schema", $"{path} is no database of this server.", "Correct Storage:SqlitePath, or name a file that is not there yet.");
        else
            yield return PostgresChecks.JudgeSchema(
                int.Parse(Scalar(connection, "SELECT coalesce(max(version), 0) FROM schema_migrations"), CultureInfo.InvariantCulture),
                postgres: false);
    }

    private static string Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }
}
