using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Domain;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

public abstract partial class EngineContract
{
    private static readonly long[] Skews = [-365L * 86_400_000, -15, 0, 15, 90_000, 365L * 86_400_000];

    private protected abstract int ModelRuns { get; }

    [Fact]
    public void Any_schedule_of_devices_over_two_nodes_converges_without_a_gap() =>
        Property.HoldsForSchedules(Play, ModelRuns, steps: 40);

    [Fact]
    public void Any_schedule_of_devices_that_merge_over_two_nodes_converges() =>
        Property.HoldsForSchedules(PlayMerging, ModelRuns, steps: 40);

    private void PlayMerging(IReadOnlyList<int> schedule)
    {
        var server = new Nodes(new UserId($"model-{Guid.NewGuid():n}"), Store, Clock, Node(), Node());
        var pick = new Random(schedule.Count == 0 ? 0 : schedule[0]);
        var devices = Enumerable.Range(0, 3)
            .Select(i => new MergingModelDevice(server, "m" + i, Skews[pick.Next(Skews.Length)])).ToList();
        foreach (var step in schedule)
        {
            var random = new Random(step);
            Clock.Advance(TimeSpan.FromMilliseconds(random.Next(8) switch { 0 => random.Next(20_000), 1 => 0, _ => random.Next(6) }));
            devices[random.Next(devices.Count)].Step(ModelDevices.Any(random), random, Clock.NowMs);
        }

        foreach (var device in devices) device.FlushAll(Clock.NowMs + 1_000);
        foreach (var device in devices) device.Pull();
        foreach (var device in devices) device.AssertEqualsTheStore();
        server.AssertHistory();
    }

    private void Play(IReadOnlyList<int> schedule)
    {
        var server = new Nodes(new UserId($"model-{Guid.NewGuid():n}"), Store, Clock, Node(), Node());
        var pick = new Random(schedule.Count == 0 ? 0 : schedule[0]);
        var devices = Enumerable.Range(0, 3).Select(i => new ModelDevice(server, "d" + i, Skews[pick.Next(Skews.Length)])).ToList();
        foreach (var step in schedule)
        {
            var random = new Random(step);
            Clock.Advance(TimeSpan.FromMilliseconds(random.Next(8) switch { 0 => random.Next(20_000), 1 => 0, _ => random.Next(6) }));
            ModelDevices.Step(devices[random.Next(devices.Count)], random, Clock.NowMs, setRight: false);
        }

        ModelDevices.Settle(devices, Clock.NowMs + 1_000);
        server.AssertHistory();
    }

    /// <summary>Two nodes that take turns, each with a memory that the other makes stale.</summary>
    private sealed class Nodes(UserId user, IUserStore store, FakeClock clock, params INode[] nodes) : IModelServer
    {
        private readonly HashSet<long> given = [];
        private int turn;

        public IReadOnlyList<ItemResult> Push(string? device, long nowMs, IReadOnlyList<Item> items, bool merges = false)
        {
            clock.Advance(TimeSpan.FromMilliseconds(Math.Max(0, nowMs - clock.NowMs)));
            var caller = new Caller(user, device is null ? null : new DeviceId(device), clock.NowMs);
            var token = store.HistoryState(user, null, clock.NowMs, Cancel).AsTask().GetAwaiter().GetResult().Token;
            var request = Item.Request(caller, WriteScope.Push, null, token, items) with { Merges = merges };
            return nodes[turn++ % nodes.Length].For(user).Write(request, Cancel).AsTask().GetAwaiter().GetResult().Items!;
        }

        public IReadOnlyList<StoredRow> Pull(long after, int rows)
        {
            var page = store.Read(user, null, new ReadQuery { After = new Revision(after), Rows = rows }, clock.NowMs, Cancel)
                .AsTask()
                .GetAwaiter()
                .GetResult();
            Assert.Equal(page.More, page.Rows.Count == rows && page.HistoryState.Last.Number > page.Rows[^1].Seq);
            return page.Rows;
        }

        public StoredRow Row(EntityKey entity) => Assert.Single(store.Rows(user, [entity], Cancel).AsTask().GetAwaiter().GetResult());

        public EntityHead? Head(EntityKey entity) => Snapshot().Heads.FirstOrDefault(h => h.Entity == entity)?.Head;

        public IReadOnlyCollection<StoredRow> Everything() => Pull(0, 10_000);

        /// <summary>The last revision is some entity's, no two entities share one, and the digest is that of what is stored.</summary>
        public void AssertHistory()
        {
            var snapshot = Snapshot();
            Assert.All(snapshot.Heads, h => Assert.True(given.Add(h.Head.Seq.Number)));
            if (snapshot.Heads.Count > 0)
            {
                Assert.Equal(
                    snapshot.HistoryState.Last, snapshot.Heads.Max(h => h.Head.Seq.Number) is var last ? new Revision(last) : default);
            }
            _ = new Ledger(snapshot);
        }

        private UserSnapshot Snapshot() => store.Load(user, Revision.Origin, clock.NowMs, Cancel).AsTask().GetAwaiter().GetResult();
    }
}
