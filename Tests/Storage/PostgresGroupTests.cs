using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Support;
using Npgsql;

namespace Mirubato.Tests.Storage;

/// <summary>An empty database, its store, and a source of one connection: commits that wait for it form a group.</summary>
public abstract class PostgresGroupTests(PostgresCluster cluster) : IAsyncLifetime
{
    private NpgsqlDataSource? source;
    private PostgresStore? store;

    private protected static CancellationToken Cancel => CancellationToken.None;

    private protected string Database { get; private set; } = "";

    private protected PostgresStore Store => store!;

    private protected NpgsqlDataSource Source => source!;

    public async Task InitializeAsync()
    {
        Database = await cluster.EmptyDatabase(GetType());
        store = PostgresStore.Open(Database);
        await store.Migrate(Cancel);
        source = PostgresStore.Source(Database, new PostgresOptions(ConnectSecondsMax: 120, PoolSizeMax: 1));
    }

    public async Task DisposeAsync()
    {
        await Source.DisposeAsync();
        await Store.DisposeAsync();
    }

    private protected async Task<object?> Scalar(string sql)
    {
        await using var beside = await Beside();
        await using var command = new NpgsqlCommand(sql, beside);
        return await command.ExecuteScalarAsync();
    }

    private protected async Task Execute(string sql)
    {
        await using var beside = await Beside();
        await using var command = new NpgsqlCommand(sql, beside);
        await command.ExecuteNonQueryAsync();
    }

    private protected async Task<NpgsqlConnection> Beside()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Database) { Pooling = false }.ToString());
        await connection.OpenAsync();
        return connection;
    }
}
