using Microsoft.Data.Sqlite;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Grains.Storage.Sqlite;
using Mirubato.Tests.Support;
using Npgsql;

namespace Mirubato.Tests.Storage;

[Collection(SharesPostgres.Name)]
public sealed class PostgresConnectionsTests(PostgresCluster cluster) : ConnectionsContract
{
    private string database = "";
    private PostgresStore store = null!;

    private protected override IUserStore Users => store;

    private protected override IConnectionStore Store => store;

    private protected override IStoreUpkeep Upkeep => store;

    public override async Task InitializeAsync()
    {
        database = await cluster.FreshDatabase();
        store = PostgresStore.Open(database);
        await store.Migrate(CancellationToken.None);
    }

    public override Task DisposeAsync() => store.DisposeAsync().AsTask();

    protected override async Task<object?> Sql(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ToString());
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}

public sealed class SqliteConnectionsTests : ConnectionsContract
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-connections-").FullName;
    private SqliteStore store = null!;

    private protected override IUserStore Users => store;

    private protected override IConnectionStore Store => store;

    private protected override IStoreUpkeep Upkeep => store;

    public override async Task InitializeAsync()
    {
        store = SqliteStore.Open(Path.Combine(directory, "sync.db"));
        await store.Migrate(CancellationToken.None);
    }

    public override async Task DisposeAsync()
    {
        await store.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    protected override async Task<object?> Sql(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(directory, "sync.db")};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }
}
