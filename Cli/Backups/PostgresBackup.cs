using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Mirubato.Cli.Doctor;
using Mirubato.Grains;
using Npgsql;

namespace Mirubato.Cli.Backups;

/// <summary>PostgreSQL's own <c>pg_dump</c> and <c>pg_restore</c>, with the database of the connection string.</summary>
internal sealed class PostgresBackup(string connectionString) : StoreBackup
{
    public override Task Write(FileInfo file, CancellationToken cancel)
    {
        // pg_dump writes into what is there, and so keeps its mode.
        PrivateFiles.Create(file.FullName).Dispose();
        return Run("pg_dump", ["--format=custom", "--file", file.FullName], cancel);
    }

    public override async Task<string?> Restore(FileInfo file, CancellationToken cancel)
    {
        await MustBeStopped();
        await Run("pg_restore", ["--list", "--file", OperatingSystem.IsWindows() ? "NUL" : "/dev/null", file.FullName], cancel);
        await Mark();
        await Run(
            "pg_restore",
            ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error", "--dbname", Database, file.FullName],
            cancel);
        return null;
    }

    private NpgsqlConnectionStringBuilder Connection { get; } = new(connectionString);

    private string Database => Connection.Database ?? Connection.Username ?? "";

    private async Task MustBeStopped()
    {
        try
        {
            await using var connection = await PostgresChecks.Open(connectionString);
            var running = (await SiloChecks.Members(connection)).Where(member => member.IsActive).Select(member => member.Name).ToList();
            if (running.Count == 0) return;
            throw new CommandFailedException(
                ExitCode.Failed, $"Servers run over this database ({string.Join(", ", running)}): stop all of them first. One that was "
                    + "killed leaves the list within two minutes.");
        }
        catch (NpgsqlException away)
        {
            throw new CommandFailedException(ExitCode.Unreachable, $"PostgreSQL cannot be reached: {away.Message} Check Storage:Postgres.");
        }
    }

    /// <summary>
    /// Also a restore that fails leaves its mark, because a connection that is lost may have been lost after the commit. New epochs do no
    /// harm to a database that is as it was.
    /// </summary>
    private async Task Mark()
    {
        await using var connection = await PostgresChecks.Open(connectionString);
        await using var command = new NpgsqlCommand(Administration.MarkRestore, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The password goes by the environment, which no list of processes shows.</summary>
    private async Task Run(string program, string[] arguments, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
        start.Environment["PGHOST"] = Connection.Host;
        start.Environment["PGPORT"] = Connection.Port.ToString(CultureInfo.InvariantCulture);
        start.Environment["PGDATABASE"] = Database;
        start.Environment["PGUSER"] = Connection.Username;
        start.Environment["PGPASSWORD"] = Connection.Password;
        start.Environment["PGSSLMODE"] = Spell(Connection.SslMode);
        if (Connection.RootCertificate is { } authority) start.Environment["PGSSLROOTCERT"] = authority;
        try
        {
            using var process = Process.Start(start)!;
            await using var stopping = cancel.Register(() => process.Kill());
            var said = await process.StandardError.ReadToEndAsync(CancellationToken.None);
            await process.WaitForExitAsync(CancellationToken.None);
            cancel.ThrowIfCancellationRequested();
            if (process.ExitCode == 0) return;
            throw new CommandFailedException(ExitCode.Failed, $"{program} failed: {said.Trim()}");
        }
        catch (Win32Exception)
        {
            throw new CommandFailedException(
                ExitCode.Unreachable, $"{program} is not installed: install PostgreSQL's client programs (Debian: postgresql-client).");
        }
    }

    /// <summary>Without it pg_dump would go without encryption, or believe any server, where the server itself does not.</summary>
    private static string Spell(SslMode mode) => mode switch
    {
        SslMode.VerifyCA => "verify-ca",
        SslMode.VerifyFull => "verify-full",
        _ => mode.ToString().ToLowerInvariant(),
    };
}
