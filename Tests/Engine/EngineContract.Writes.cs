using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

public abstract partial class EngineContract
{
    [Fact]
    public async Task Nodes_that_write_at_once_leave_no_gap_and_no_double_revision()
    {
        var nodes = Enumerable.Range(0, 4).Select(_ => Coordinator()).ToList();
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
            await nodes[i % 4].Write(PushBy("d" + i % 4, "k" + i, Goal("g" + i)), Cancel))));

        var rows = await Everything();
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (long)i), rows.Select(r => r.Seq));
        await AssertDigest();
    }

    [Fact]
    public async Task What_queued_behind_an_unknown_outcome_is_decided_on_what_is_stored()
    {
        var store = new InterruptedStore(Store);
        var node = Coordinator(store);
        await node.Write(Push(null, Goal("g")), Cancel);
        var held = new TaskCompletionSource();
        var reached = new TaskCompletionSource();
        store.Around = async commit =>
        {
            reached.TrySetResult();
            await held.Task;
            store.Around = null;
            await commit();
            throw InterruptedStore.Cut(outcomeUnknown: true);
        };
        var cut = node.Write(Push(null, Goal("g", "cut", Clock.NowMs + 1)), Cancel).AsTask();
        await reached.Task;
        var queued = node.Write(Push(null, Goal("h")), Cancel).AsTask();
        held.SetResult();

        await Assert.ThrowsAsync<StoreUnavailableException>(() => cut);
        Assert.Equal(3, Assert.Single((await queued).Items!).Seq);
        Assert.Equal(2, store.WholeLoads);
    }

    [Fact]
    public async Task Strict_applies_all_or_nothing_and_its_409_is_replayed()
    {
        var node = Coordinator();
        await node.Write(Push(null, Goal("g", "newer", Clock.NowMs)), Cancel);
        var strict = PushBy("d2", "k", Goal("h"), Goal("g", "older", Clock.NowMs - 1000)) with { Strict = true };
        var first = await node.Write(strict, Cancel);
        var second = await Coordinator().Write(strict, Cancel);

        Assert.Equal(409, first.Status);
        Assert.True(second.Replayed);
        Assert.Equal(409, second.Status);
        Assert.Single(await Everything());
        Assert.Empty(await node.Conflicts(null, 10, Cancel));
    }

    [Fact]
    public async Task A_loser_is_in_the_feed_and_can_be_restored()
    {
        var node = Coordinator();
        await node.Write(Push(null, Goal("g", "newer", Clock.NowMs)), Cancel);
        var lost = await One(node.Write(PushBy("d2", null, Goal("g", "older", Clock.NowMs - 1000)), Cancel));
        Assert.Equal(ItemStatus.Conflict, lost.Status);
        Assert.Contains("newer", System.Text.Encoding.UTF8.GetString(lost.Server.Span), StringComparison.Ordinal);

        var kept = Assert.Single(await node.Conflicts(null, 10, Cancel));
        var restored = await One(node.Restore(Caller("d1"), kept.Id, Cancel));

        Assert.Equal(ItemStatus.Updated, restored.Status);
        Assert.Contains(
            "older", System.Text.Encoding.UTF8.GetString(Assert.Single(await Everything()).Data.Span), StringComparison.Ordinal);
        Assert.Empty(await node.Conflicts(null, 10, Cancel));
        Assert.Equal(RequestRefusal.NotFound, (await node.Restore(Caller("d1"), kept.Id, Cancel)).Refusal);
    }

    [Fact]
    public async Task A_restore_brings_back_what_was_deleted()
    {
        var node = Coordinator();
        await node.Write(Push(null, Goal("g", "mine", Clock.NowMs)), Cancel);
        await node.Write(PushBy("d2", null, Mirubato.Tests.Domain.ModelServer.Delete("goal", "g", Clock.NowMs + 1)), Cancel);

        var kept = Assert.Single(await node.Conflicts(null, 10, Cancel));
        Assert.Equal(ConflictId.Replaced, kept.Reason);
        await node.Restore(Caller("d1"), kept.Id, Cancel);

        Assert.Null(Assert.Single(await Everything()).DeletedAtMs);
    }

    [Fact]
    public async Task Only_the_newest_conflicts_are_kept()
    {
        var node = Coordinator(quotas: new Quotas(ConflictsMax: 3));
        await node.Write(Push(null, Goal("g", "newer", Clock.NowMs)), Cancel);
        for (var i = 0; i < 4; i++)
        {
            Clock.Advance(TimeSpan.FromSeconds(1));
            await node.Write(PushBy("d2", null, Goal("g", "older" + i, FakeClock.StartMs - 1000)), Cancel);
        }

        // The trim runs behind the answer; a fourth read of the feed is ordered after it only by waiting for its effect.
        await Eventually.Holds(async () => (await node.Conflicts(null, 10, Cancel)).Count <= 3);
        Assert.DoesNotContain(
            await node.Conflicts(null, 10, Cancel),
            c => System.Text.Encoding.UTF8.GetString(c.Document.Span).Contains("older0", StringComparison.Ordinal));
    }

    /// <summary>
    /// Two writes before the test's own: one makes the device and the ledger known, the other is held in its commit until released.
    /// </summary>
    private protected async Task<TaskCompletionSource> Hold(InterruptedStore store, Coordinator node)
    {
        await node.Write(Push(null, Goal("known")), Cancel);
        var (reached, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        store.Around = async commit =>
        {
            store.Around = null;
            reached.SetResult();
            await release.Task;
            return await commit();
        };
        _ = node.Write(Push(null, Goal("held")), Cancel).AsTask();
        await reached.Task;
        return release;
    }

    private async Task AssertDigest()
    {
        var sum = UInt128.Zero;
        foreach (var row in (await Everything()).Where(r => r.DeletedAtMs is null))
        {
            sum = unchecked(sum + Digest.From(row.Entity, row.Version));
        }
        Assert.Equal(sum, (await Store.HistoryState(User, null, Clock.NowMs, Cancel)).Digest);
    }
}
