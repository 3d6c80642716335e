using Mirubato.Grains.Interfaces;
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
        store = PostgresStore.Open(await cluster.EmptyDatabase(GetType()));
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

    [Fact]
    public async Task A_request_that_ties_with_more_than_may_be_announced_again_is_refused_and_changes_nothing()
    {
        const int documents = 300;
        var node = Coordinator();
        for (var i = 0; i < documents; i++) await node.Write(Push(null, Goal($"g{i}", new string('~', 250 * 1024), Clock.NowMs)), Cancel);
        var ties = Enumerable.Range(0, documents).Select(i => Goal($"g{i}", "tied", Clock.NowMs)).ToArray();

        var refused = await node.Write(PushBy("d2", "k", ties), Cancel);

        Assert.Equal(RequestRefusal.TooManyTies, refused.Refusal);
        Assert.Equal(documents, (await node.HistoryState(Caller(), Cancel)).Last.Number);
        foreach (var part in ties.Chunk(100))
        {
            Assert.Equal(RequestRefusal.None, (await node.Write(PushBy("d2", null, part), Cancel)).Refusal);
        }
    }

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
