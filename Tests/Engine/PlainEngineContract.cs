using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>
/// The contract on the plain classes, and what they promise beyond: calls are taken in their order, and the sockets of the process are told
/// before the caller is answered.
/// </summary>
public abstract partial class PlainEngineContract : EngineContract, IDisposable
{
    private readonly List<PlainNode> nodes = [];

    public void Dispose()
    {
        foreach (var node in nodes) node.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_full_queue_refuses_and_loses_nothing()
    {
        var store = new InterruptedStore(Store);
        var node = Coordinator(store);
        var release = await Hold(store, node);
        var writes = Enumerable.Range(0, Limits.QueuedWritesMax + 1)
            .Select(i => node.Write(Push(null, Goal("g" + i)), Cancel).AsTask())
            .ToList();
        release.SetResult();
        var answers = await Task.WhenAll(writes);

        // The queue holds its fill behind what is under way, and the one past it is refused.
        Assert.Equal(RequestRefusal.Busy, Assert.Single(answers, a => a.Refusal is not RequestRefusal.None).Refusal);
        Assert.Equal(2 + Limits.QueuedWritesMax, (await Everything()).Count);
    }

    [Fact]
    public async Task A_commit_that_failed_is_neither_remembered_nor_announced()
    {
        var store = new InterruptedStore(Store);
        var sockets = new RecordingGateway();
        var node = await Listened(store, sockets);
        store.Around = _ => throw InterruptedStore.Cut(outcomeUnknown: true);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await node.Write(Push("k", Goal("g")), Cancel));
        store.Around = null;
        Assert.Empty(sockets.Announcements);

        var again = await node.Write(Push("k", Goal("g")), Cancel);

        Assert.False(again.Replayed);
        Assert.Equal(1, Assert.Single(sockets.Announcements).Head.Number);
    }

    [Fact]
    public async Task Writes_that_wait_together_share_a_commit_and_reach_sockets_in_order()
    {
        var store = new InterruptedStore(Store);
        var sockets = new RecordingGateway();
        var node = await Listened(store, sockets);
        var release = await Hold(store, node);
        var writes = Enumerable.Range(0, 40).Select(i => node.Write(Push("k" + i, Goal("g" + i)), Cancel).AsTask()).ToList();
        release.SetResult();
        var answers = await Task.WhenAll(writes);

        Assert.Equal(Enumerable.Range(3, 40).Select(i => (long)i), answers.Select(a => a.Items![0].Seq));
        Assert.Equal(3, store.Commits);
        Assert.Equal(Enumerable.Range(1, 42).Select(i => (long)i), sockets.Announcements.SelectMany(a => a.Rows).Select(r => r.Row.Seq));
        Assert.Equal([0L, 1L, 2L], sockets.Announcements.Select(a => a.After.Number));
    }

    [Fact]
    public async Task A_head_confirmed_while_its_commit_is_under_way_is_announced_by_the_commit_alone()
    {
        var store = new InterruptedStore(Store);
        var sockets = new RecordingGateway();
        var node = await Listened(store, sockets);
        store.Around = async commit =>
        {
            var outcome = await commit();
            Assert.Equal(1, (await node.HistoryState(Caller(), Cancel)).Last.Number);
            return outcome;
        };
        await node.Write(Push(null, Goal("g")), Cancel);

        Assert.Equal(1, Assert.Single(sockets.News).Announcement!.Head.Number);
    }

    [Fact]
    public async Task A_head_of_another_coordinator_confirmed_while_a_commit_is_under_way_is_announced_after_it()
    {
        var store = new InterruptedStore(Store);
        var sockets = new RecordingGateway();
        var (node, other) = (await Listened(store, sockets), Coordinator());
        await node.Write(Push(null, Goal("g")), Cancel);
        store.Around = async commit =>
        {
            var outcome = await commit();
            await other.Write(Push(null, Goal("h")), Cancel);
            Clock.Advance(Confirmed + OneMs);
            await node.HistoryState(Caller(), Cancel);
            return outcome;
        };
        await node.Write(Push(null, Goal("g", "later")), Cancel);
        // The caller is answered before the commit's turn ends; the next call comes after it.
        await node.Devices(Cancel);

        Assert.Equal([1L, 2L], sockets.Announcements.Select(announcement => announcement.Head.Number));
        Assert.Equal(3, sockets.News[^1].Head!.Value.Seq.Number);
    }

    [Fact]
    public async Task A_head_seen_before_an_erase_is_not_announced_after_it()
    {
        var store = new InterruptedStore(Store);
        var sockets = new RecordingGateway();
        var node = await Listened(store, sockets);
        await node.Write(Push(null, Goal("g")), Cancel);
        var erased = default(HistoryState);
        store.Around = async commit =>
        {
            Clock.Advance(Confirmed + OneMs);
            await node.HistoryState(Caller(), Cancel);
            erased = await node.Erase(Cancel);
            throw InterruptedStore.Cut(outcomeUnknown: false);
        };
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await node.Write(Push(null, Goal("h")), Cancel));
        await node.Devices(Cancel);

        Assert.Equal(erased!.Token, sockets.News[^1].Head);
    }

    [Fact]
    public async Task A_receipt_of_a_write_that_is_under_way_is_waited_for()
    {
        var store = new InterruptedStore(Store);
        var node = Coordinator(store);
        var release = await Hold(store, node);
        var write = Push("k", Goal("g"));
        var first = node.Write(write, Cancel).AsTask();
        var asked = node.FindReceipt(Asking(write), Cancel).AsTask();
        release.SetResult();

        Assert.Equal((await first).Body.ToArray(), (await asked).Body.ToArray());
        Assert.True((await asked).Replayed);
    }

    [Fact]
    public async Task Two_waiting_edits_of_one_entity_take_one_revision_each()
    {
        var store = new InterruptedStore(Store);
        var node = Coordinator(store);
        var release = await Hold(store, node);
        var writes = Enumerable.Range(0, 4)
            .Select(i => node.Write(Push(null, Goal("g", "v" + i, Clock.NowMs - 10 + i)), Cancel).AsTask())
            .ToList();
        release.SetResult();

        Assert.Equal([3L, 4L, 5L, 6L], (await Task.WhenAll(writes)).Select(a => a.Items![0].Seq));
    }

    private protected override INode Node(IUserStore? store = null, Quotas? quotas = null) => Plain(store, quotas);

    private protected PlainNode Plain(IUserStore? store = null, Quotas? quotas = null, IGatewayObserver? gateway = null)
    {
        var node = new PlainNode(store ?? Store, Clock, quotas, gateway);
        nodes.Add(node);
        return node;
    }

    /// <summary>A coordinator with one connection in its own process.</summary>
    private protected async Task<Coordinator> Listened(IUserStore store, IGatewayObserver gateway)
    {
        var node = Plain(store, gateway: gateway);
        await node.For(User).Connections.Report(
            new Roster(node.Silo.Process.Name, null, 1, gateway, [new LiveConnection("c1", null, Clock.NowMs)]));
        return node.For(User);
    }
}
