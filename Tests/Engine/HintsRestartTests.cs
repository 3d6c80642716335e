using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>A server of its own, because it is stopped.</summary>
public sealed class HintsRestartTests : IAsyncLifetime
{
    private PostgresCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await PostgresCluster.StartOwn(fsync: false);

    public Task DisposeAsync() => cluster.DisposeAsync();

    [Fact]
    public async Task After_a_restart_of_the_database_every_process_hears_again_and_compares_heads()
    {
        var user = new UserId("u");
        var database = await cluster.FreshDatabase();
        await using var one = await HintsProcess.Start(database);
        await using var two = await HintsProcess.Start(database);
        await Task.WhenAll(one.Heard.Until(h => h.MissedCount == 1), two.Heard.Until(h => h.MissedCount == 1));

        await cluster.Restart();
        await Task.WhenAll(one.Heard.Until(h => h.MissedCount == 2), two.Heard.Until(h => h.MissedCount == 2));

        var head = new SyncToken(new Epoch(Guid.NewGuid()), new Revision(1));
        one.Send(new HeadMoved(user, head));
        await two.Heard.Until(h => h.HeadOf(user) == head);
    }
}
