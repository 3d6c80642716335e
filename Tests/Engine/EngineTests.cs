using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Grains.Storage.Sqlite;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

[Collection(SharesPostgres.Name)]
public sealed class PostgresEngineTests(PostgresCluster cluster) : PlainEngineContract
{
    private PostgresStore store = null!;

    private protected override IUserStore Store => store;

    private protected override int ModelRuns => 20;

    public override async Task InitializeAsync()
    {
        store = PostgresStore.Open(await cluster.FreshDatabase());
        await store.Migrate(Cancel);
    }

    public override Task DisposeAsync() => store.DisposeAsync().AsTask();
}

public sealed class SqliteEngineTests : PlainEngineContract
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-engine-").FullName;
    private SqliteStore store = null!;

    private protected override IUserStore Store => store;

    private protected override int ModelRuns => 40;

    public override async Task InitializeAsync()
    {
        store = SqliteStore.Open(Path.Combine(directory, "sync.db"));
        await store.Migrate(Cancel);
    }

    public override async Task DisposeAsync()
    {
        await store.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
