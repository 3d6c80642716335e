using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Support;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

/// <summary>A server of its own: recovery syncs every file there is, and the shared one has a database per test.</summary>
public sealed class PostgresKilledTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = CancellationToken.None;

    private PostgresCluster cluster = null!;
    private PostgresStore store = null!;

    // A killed process leaves its writes with the operating system, so the recovery need not sync them to find them.
    public async Task InitializeAsync()
    {
        cluster = await PostgresCluster.StartOwn(fsync: false);
        store = PostgresStore.Open(await cluster.FreshDatabase());
        await store.Migrate(Cancel);
    }

    public async Task DisposeAsync()
    {
        await store.DisposeAsync();
        await cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_killed_server_loses_nothing_and_the_same_store_serves_again_when_it_is_back()
    {
        var user = User();
        var at = await store.HistoryState(user, null, Now, Cancel);
        await store.Commit(user, Entries(at, 3) with { Receipts = [Receipt("k")] }, Cancel);
        await cluster.Kill();

        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.HistoryState(user, null, Now, Cancel));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.Ping(Cancel));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.Commit(user, Entries(at, 1), Cancel));
        await cluster.Start();
        await Recovered();

        var after = await store.HistoryState(user, null, Now, Cancel);
        Assert.Equal(3, after.Last.Number);
        Assert.NotNull(await store.Receipt(user, WriteScope.Push, "k", Now, Cancel));
        Assert.Equal(CommitResult.Held, (await store.Commit(user, Entries(after, 1, "n"), Cancel)).Result);
    }

    // The pool may hand out connections that died with the server, one failure each; nothing else may go wrong.
    private async Task Recovered()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await store.Ping(Cancel);
                return;
            }
            catch (StoreUnavailableException) when (attempt < 50)
            {
                await Task.Yield();
            }
        }
    }
}
