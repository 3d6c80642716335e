using System.Diagnostics;
using Mirubato.Bench;
using Npgsql;

namespace Mirubato.Tests.Support;

[CollectionDefinition(Name)]
public sealed class SharesPostgres : ICollectionFixture<PostgresCluster>
{
    public const string Name = "PostgreSQL";
}

/// <summary>Tests that run silos, beside those of the stores.</summary>
[CollectionDefinition(Name)]
public sealed class SharesPostgresWithSilos : ICollectionFixture<PostgresCluster>
{
    public const string Name = "PostgreSQL with silos";
}

/// <summary>
/// A PostgreSQL of the tests' own, on a free port, in a directory that goes with it; or databases of their own on the server that
/// <c>MIRUBATO_TEST_POSTGRES</c> names. It never touches another cluster, nor another database.
/// </summary>
public sealed class PostgresCluster : IAsyncLifetime
{
    private const string Variable = "MIRUBATO_TEST_POSTGRES";
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    private readonly string directory = Path.Combine(Path.GetTempPath(), $"mirubato-pg-{Guid.NewGuid():n}");
    private readonly List<string> databases = [];
    private readonly Dictionary<Type, string> byClass = [];
    private readonly bool fsync;
    private string server = "";
    private int port;

    public PostgresCluster() : this(fsync: true) { }

    private PostgresCluster(bool fsync) => this.fsync = fsync;

    /// <summary>False on a server given from outside: it can be neither stopped nor killed.</summary>
    public bool IsOwn { get; private set; }

    /// <summary>A cluster beside the collection's, for a test that stops or kills it, whatever the environment says.</summary>
    public static async Task<PostgresCluster> StartOwn(bool fsync)
    {
        var cluster = new PostgresCluster(fsync);
        await cluster.Create();
        return cluster;
    }

    public async Task InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
        {
            server = given;
            return;
        }

        await Create();
    }

    public async Task DisposeAsync()
    {
        if (IsOwn) await Remove();
        else await DropDatabases();
    }

    /// <summary>A new, empty database, and how to connect to it.</summary>
    public async Task<string> FreshDatabase()
    {
        var name = $"mirubato_{Guid.NewGuid():n}";
        await OnServer($"CREATE DATABASE {name} TEMPLATE template0");
        databases.Add(name);
        return new NpgsqlConnectionStringBuilder(server) { Database = name }.ToString();
    }

    /// <summary>
    /// The database of a class whose tests each need an empty one. It is emptied, because a new one for each test costs 300 files, whose
    /// removal took two minutes of a run.
    /// </summary>
    public async Task<string> EmptyDatabase(Type tests)
    {
        if (!byClass.TryGetValue(tests, out var database)) return byClass[tests] = await FreshDatabase();
        await Execute(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        await Execute(database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        return database;
    }

    /// <summary>
    /// Starts what <see cref="Stop"/> or <see cref="Kill"/> ended. After a kill the old processes may need a moment to notice.
    /// </summary>
    public async Task Start()
    {
        var clock = Stopwatch.StartNew();
        while (!await TryStart())
        {
            if (clock.Elapsed > StartPatience)
                throw new InvalidOperationException(
                    $"PostgreSQL did not start within {StartPatience.TotalSeconds} s: {await File.ReadAllTextAsync(Log)}");
        }
    }

    public Task Stop() => RunAsOwner(Binary("pg_ctl"), "-D", Data, "-m", "fast", "-w", "stop");

    public async Task Restart()
    {
        await Stop();
        await Start();
    }

    /// <summary>No farewell to anybody, as after a crash.</summary>
    public async Task RestartAtOnce()
    {
        await RunAsOwner(Binary("pg_ctl"), "-D", Data, "-m", "immediate", "-w", "stop");
        await Start();
    }

    /// <summary>kill -9: nothing is flushed, and no client gets a message.</summary>
    public async Task Kill()
    {
        var pid = int.Parse((await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid")))[0]);
        using var postmaster = Process.GetProcessById(pid);
        postmaster.Kill();
        await postmaster.WaitForExitAsync();
    }

    private string Data => Path.Combine(directory, "data");

    private string Log => Path.Combine(directory, "log");

    private static bool IsRoot => Environment.UserName == "root";

    private async Task Create()
    {
        IsOwn = true;
        port = FreePort.Next();
        server = $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres";
        Directory.CreateDirectory(directory);
        if (IsRoot) await Run("chown", "postgres", directory);
        await RunAsOwner(Binary("initdb"), "-D", Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync");
        await Start();
    }

    private async Task<bool> TryStart()
    {
        var options = $"-p {port} -k {directory} -c listen_addresses=127.0.0.1 -c max_connections=200 -c fsync={(fsync ? "on" : "off")}";
        var (status, _) = await TryRunAsOwner(Binary("pg_ctl"), "-D", Data, "-l", Log, "-w", "-t", "60", "-o", options, "start");
        return status == 0;
    }

    private async Task Remove()
    {
        NpgsqlConnection.ClearAllPools();
        await TryRunAsOwner(Binary("pg_ctl"), "-D", Data, "-m", "immediate", "-w", "stop");
        Directory.Delete(directory, recursive: true);
    }

    private async Task DropDatabases()
    {
        NpgsqlConnection.ClearAllPools();
        foreach (var name in databases) await OnServer($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    }

    private Task OnServer(string sql) => Execute(server, sql);

    private static async Task Execute(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ToString());
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static string Binary(string name)
    {
        var debian = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(
                path => double.TryParse(Path.GetFileName(path), out var v) ? v : 0)
                .Select(path => Path.Combine(path, "bin"))
            : [];
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        return debian.Concat(path).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException(
                $"These tests need PostgreSQL's `{name}`. Install the server (Debian, Ubuntu: `apt-get install postgresql`; Fedora: "
                + $"`dnf install postgresql-server`; macOS: `brew install postgresql`), or set {Variable} to a connection string of a "
                    + $"server "
                + "on which databases may be created.");
    }

    private static async Task RunAsOwner(string program, params string[] arguments)
    {
        var (status, output) = await TryRunAsOwner(program, arguments);
        if (status != 0) throw new InvalidOperationException($"{program} ended with {status}: {output}");
    }

    // PostgreSQL refuses to run as root.
    private static Task<(int Status, string Output)> TryRunAsOwner(string program, params string[] arguments) =>
        IsRoot ? TryRun("runuser", ["-u", "postgres", "--", program, .. arguments]) : TryRun(program, arguments);

    private static async Task Run(string program, params string[] arguments)
    {
        var (status, output) = await TryRun(program, arguments);
        if (status != 0) throw new InvalidOperationException($"{program} ended with {status}: {output}");
    }

    // Output goes to a file: the server inherits it and would keep a pipe open for as long as it runs.
    private static async Task<(int Status, string Output)> TryRun(string program, string[] arguments)
    {
        var output = Path.GetTempFileName();
        try
        {
            using var process = Process.Start(new ProcessStartInfo(
                "/bin/sh", ["-c", "out=$1; shift; exec \"$@\" >\"$out\" 2>&1 </dev/null", "sh", output, program, .. arguments])
            { WorkingDirectory = "/" })!;
            await process.WaitForExitAsync();
            return (process.ExitCode, await File.ReadAllTextAsync(output));
        }
        finally
        {
            File.Delete(output);
        }
    }
}
