using Microsoft.Extensions.Logging.Abstractions;
using Mirubato.Gateway.Wire;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Local;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>
/// The contract on the local engine, and what it promises beyond: calls of one process are taken in their order, its rooms are told at once,
/// idle coordinators go.
/// </summary>
public abstract class LocalEngineContract : EngineContract, IDisposable
{
    private readonly SyncMetrics metrics = new();
    private readonly List<LocalCoordinators> engines = [];

    public void Dispose()
    {
        foreach (var engine in engines) engine.Dispose();
        metrics.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_full_mailbox_refuses_and_loses_nothing()
    {
        var store = new InterruptedStore(Store);
        var node = Coordinator(store);
        var release = await Hold(store, node);
        var writes = Enumerable.Range(0, Limits.MailboxRequestsMax + 1).Select(i => node.Write(Push(null, Goal("g" + i)), Cancel).AsTask()).ToList();
        release.SetResult();
        var answers = await Task.WhenAll(writes);

        // The mailbox holds its fill behind what is under way, and the one past it is refused.
        Assert.Equal(RequestRefusal.Busy, Assert.Single(answers, a => a.Refusal is not RequestRefusal.None).Refusal);
        Assert.Equal(2 + Limits.MailboxRequestsMax, (await Everything()).Count);
    }

    [Fact]
    public async Task A_commit_that_failed_is_neither_remembered_nor_announced()
    {
        var store = new InterruptedStore(Store);
        var node = Coordinator(store);
        var room = new RecordingRoom();
        node.Attach(room);
        store.Around = _ => throw InterruptedStore.Cut(outcomeUnknown: true);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await node.Write(Push("k", Goal("g")), Cancel));
        store.Around = null;
        Assert.Empty(room.Heard);

        var again = await node.Write(Push("k", Goal("g")), Cancel);

        Assert.False(again.Replayed);
        Assert.Equal(1, Assert.Single(room.Heard).Head.Number);
    }

    [Fact]
    public async Task Writes_that_wait_together_share_a_commit_and_rooms_hear_them_in_order()
    {
        var store = new InterruptedStore(Store);
        var node = Coordinator(store);
        var room = new RecordingRoom();
        node.Attach(room);
        var release = await Hold(store, node);
        var writes = Enumerable.Range(0, 40).Select(i => node.Write(Push("k" + i, Goal("g" + i)), Cancel).AsTask()).ToList();
        release.SetResult();
        var answers = await Task.WhenAll(writes);

        Assert.Equal(Enumerable.Range(3, 40).Select(i => (long)i), answers.Select(a => a.Items![0].Seq));
        Assert.Equal(3, store.Commits);
        Assert.Equal(Enumerable.Range(1, 42).Select(i => (long)i), room.Heard.SelectMany(a => a.Rows).Select(r => r.Row.Seq));
        Assert.Equal([0L, 1L, 2L], room.Heard.Select(a => a.After.Number));
    }

    [Fact]
    public async Task An_idle_coordinator_is_forgotten_unless_somebody_listens()
    {
        var node = (LocalCoordinators)Node();
        await node.For(User).Write(Push(null, Goal("g")), Cancel);
        var listening = new UserId(User.Value + "-room");
        node.For(listening).Attach(new RecordingRoom());

        Clock.Advance(TimeSpan.FromMilliseconds(2 * Limits.CoordinatorIdleMs));

        Assert.Equal(1, node.Active);
        Assert.Equal(ItemStatus.Unchanged, (await One(node.For(User).Write(Push(null, Goal("g", atMs: FakeClock.StartMs)), Cancel))).Status);
    }

    [Fact]
    public async Task Two_waiting_edits_of_one_entity_take_one_revision_each()
    {
        var store = new InterruptedStore(Store);
        var node = Coordinator(store);
        var release = await Hold(store, node);
        var writes = Enumerable.Range(0, 4).Select(i => node.Write(Push(null, Goal("g", "v" + i, Clock.NowMs - 10 + i)), Cancel).AsTask()).ToList();
        release.SetResult();

        Assert.Equal([3L, 4L, 5L, 6L], (await Task.WhenAll(writes)).Select(a => a.Items![0].Seq));
    }

    private protected override ISyncCoordinators Node(IUserStore? store = null, Quotas? quotas = null)
    {
        var context = new CoordinatorContext(store ?? Store, new WireAnswers(), quotas ?? new Quotas(), Clock, metrics, NullLogger<SyncCoordinator>.Instance);
        var node = new LocalCoordinators(context);
        engines.Add(node);
        return node;
    }

    private sealed class RecordingRoom : IRoom
    {
        public List<Announcement> Heard { get; } = [];

        public void Announce(Announcement announcement) => Heard.Add(announcement);
    }
}
