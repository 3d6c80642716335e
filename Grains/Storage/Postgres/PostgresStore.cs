using System.Data.Common;
using System.Diagnostics;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// The store of a deployment: any number of processes over one PostgreSQL. Correct through the fence of each commit, not through
/// who holds which connection. What locks a user's row, and so may wait for it, has connections of its own: nothing else waits behind it.
/// </summary>
internal sealed partial class PostgresStore(NpgsqlDataSource source, NpgsqlDataSource lockingSource, PostgresOptions options)
    : SqlStore(options.SweepRowsMax, options.TombstonesMax), IUserStore, IStoreUpkeep, IAsyncDisposable
{
    private const int NpgsqlPoolSizeDefault = 100;
    private const int ClientPatienceSeconds = 2;
    private const int UpkeepSecondsMax = 600;

    /// <summary>A page of 100 documents arrives in one read of the socket instead of six: a pull of 100 costs 7 % less CPU.</summary>
    private const int ReadBufferBytes = 64 * 1024;

    public static PostgresStore Open(string connectionString, PostgresOptions? options = null)
    {
        options ??= new PostgresOptions();
        var connections = Tuned(connectionString, options).MaxPoolSize;
        var locking = Math.Max(1, connections / 2);
        return new PostgresStore(
            Source(connectionString, options, Math.Max(1, connections - locking)), Source(connectionString, options, locking), options);
    }

    /// <summary>Sets each new session up by a statement: a pooler (PgBouncer) refuses the start-up parameter <c>options</c>.</summary>
    internal static NpgsqlDataSource Source(string connectionString, PostgresOptions options, int? connectionsMax = null)
    {
        var tuned = Tuned(connectionString, options);
        if (connectionsMax is { } max) (tuned.MaxPoolSize, tuned.MinPoolSize) = (max, Math.Min(max, tuned.MinPoolSize));
        var settings = $"{KeyLookups} SET statement_timeout = '{options.CommandSecondsMax}s'";
        var source = new NpgsqlDataSourceBuilder(tuned.ToString());
        source.UsePhysicalConnectionInitializer(
            connection => new NpgsqlCommand(settings, connection).ExecuteNonQuery(),
            connection => new NpgsqlCommand(settings, connection).ExecuteNonQueryAsync());

        // Statements that belong to no recorded trace are nobody's. A group of commits has a span of its own: the driver's would hold the
        // text of its statement.
        source.ConfigureTracing(tracing => tracing
            .ConfigureCommandFilter(_ => Activity.Current is { Recorded: true })
            .ConfigureBatchFilter(_ => false));
        return source.Build();
    }

    public async ValueTask DisposeAsync()
    {
        await source.DisposeAsync();
        await lockingSource.DisposeAsync();
    }

    // Every statement is written for one index and looks rows up by key. A plan never gets better by knowing the values, and planning a
    // commit costs more than running it; nor may the statistics of a table that was empty a minute ago talk the planner out of an index.
    private const string KeyLookups = """
        SET plan_cache_mode = force_generic_plan; SET jit = off; SET max_parallel_workers_per_gather = 0;
        SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_sort = off;
        """;

    internal static NpgsqlConnectionStringBuilder Tuned(string connectionString, PostgresOptions options)
    {
        var tuned = new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2,
            Multiplexing = false,
            NoResetOnClose = true, // No statement leaves anything in its session, and a reset would go with every command.
            Timeout = options.ConnectSecondsMax,
            CommandTimeout = options.CommandSecondsMax + ClientPatienceSeconds,
            CancellationTimeout = 1000,
            IncludeErrorDetail = false,
            ReadBufferSize = ReadBufferBytes,
        };
        tuned.ApplicationName ??= "mirubato-sync";
        if (tuned.MaxPoolSize == NpgsqlPoolSizeDefault) tuned.MaxPoolSize = options.PoolSizeMax ?? GrainsSetup.PostgresConnectionsMax;
        return tuned;
    }

    protected override ValueTask<int> Execute(string sql, CancellationToken cancel, params object[] values) =>
        Ask(sql, values, static (command, token) => command.ExecuteNonQueryAsync(token), cancel);

    private ValueTask<T> Read<T>(
        string sql, object[] values, Func<NpgsqlDataReader, CancellationToken, Task<T>> read, CancellationToken cancel) =>
        Ask(sql, values, async (command, token) =>
        {
            await using var reader = await command.ExecuteReaderAsync(token);
            return await read(reader, token);
        }, cancel);

    protected override ValueTask<List<T>> List<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken cancel, params object[] values) =>
        Read(sql, values, async (reader, token) =>
        {
            var rows = new List<T>();
            while (await reader.ReadAsync(token)) rows.Add(read(reader));
            return rows;
        }, cancel);

    private async ValueTask<T> Ask<T>(
        string sql, object[] values, Func<NpgsqlCommand, CancellationToken, Task<T>> ask, CancellationToken cancel)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancel);
            await using var command = new NpgsqlCommand(sql, connection);
            command.Parameters.Values(values);
            return await ask(command, cancel);
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw PostgresFaults.Known(e);
        }
    }

    /// <summary>
    /// A transaction that begins by locking the user's row, as every commit does, and is handed its head. Without such a row it does
    /// nothing.
    /// </summary>
    private ValueTask Locked(UserId user, Func<NpgsqlConnection, long, CancellationToken, Task> work, CancellationToken cancel) =>
        RunUpkeep(async (connection, token) =>
        {
            await using var command = Command(connection, "SELECT last_seq FROM sync_metadata WHERE user_id = $1 FOR NO KEY UPDATE");
            command.Parameters.Values(user.Value);
            if (await command.ExecuteScalarAsync(token) is long lastSeq) await work(connection, lastSeq, token);
        }, PostgresFaults.FromCommit, cancel);

    /// <summary>One transaction of upkeep, which may take longer than a statement of a request.</summary>
    private async ValueTask RunUpkeep(
        Func<NpgsqlConnection, CancellationToken, Task> work, Func<Exception, StoreUnavailableException> fault, CancellationToken cancel)
    {
        try
        {
            await using var connection = await lockingSource.OpenConnectionAsync(cancel);
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            await Run(connection, $"SET LOCAL statement_timeout = '{UpkeepSecondsMax}s'", cancel);
            await work(connection, cancel);
            await transaction.CommitAsync(CancellationToken.None);
        }
        catch (Exception e) when (PostgresFaults.IsFault(e))
        {
            throw fault(e);
        }
    }

    private static async Task<int> Run(NpgsqlConnection connection, string sql, CancellationToken cancel, params object?[] values)
    {
        await using var command = Command(connection, sql);
        command.Parameters.Values(values);
        return await command.ExecuteNonQueryAsync(cancel);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql) =>
        new(sql, connection) { CommandTimeout = UpkeepSecondsMax };
}
