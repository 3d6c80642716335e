using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Grains.Storage.Sqlite;
using Mirubato.Tests.Silo;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Import;

[Collection(SharesPostgres.Name)]
public sealed class ImportPostgresTests(PostgresCluster postgres) : ImportContract
{
    private string database = "";
    private PostgresStore store = null!;

    private protected override IUserStore Store => store;

    private protected override string Postgres => database;

    public override async Task InitializeAsync()
    {
        database = await postgres.FreshDatabase();
        await GrainStateDatabase.Migrate(database);
        store = PostgresStore.Open(database);
        await base.InitializeAsync();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await store.DisposeAsync();
    }
}

public sealed class ImportSqliteTests : ImportContract
{
    private readonly SqliteFolder folder = new();
    private SqliteStore store = null!;

    private protected override IUserStore Store => store;

    private protected override string? Postgres => null;

    public override async Task InitializeAsync()
    {
        store = SqliteStore.Open(folder.Database);
        await store.Migrate(CancellationToken.None);
        await base.InitializeAsync();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await store.DisposeAsync();
        folder.Delete();
    }
}
