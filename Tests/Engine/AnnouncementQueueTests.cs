using System.Reflection;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>News on their way to another process: in order, one message at a time, and never more of them than may wait.</summary>
public sealed class AnnouncementQueueTests : IDisposable
{
    private static readonly UserId User = new("ada");
    private static readonly Epoch Epoch = new(Guid.NewGuid());

    private readonly RecordingGateway gateway = new();
    private readonly RecordingGateway local = new();
    private readonly Turns turns = new();
    private readonly PlainNode node;
    private int lost;

    public AnnouncementQueueTests() => node = new PlainNode(null!, new FakeClock(), gateway: local);

    public void Dispose() => node.Dispose();

    [Fact]
    public async Task One_message_is_under_way_and_what_comes_meanwhile_is_merged_into_the_next()
    {
        var (queue, arrives) = await Held();
        await Tell(queue, Rows(2), Rows(3), Rows(4));
        Assert.Single(gateway.News);

        await turns.Run(arrives.SetResult);

        Assert.Equal(2, gateway.News.Count);
        var merged = gateway.News[1].Announcement!;
        Assert.Equal((1, 4), (merged.After.Number, merged.Head.Number));
        Assert.Equal([2L, 3L, 4L], merged.Rows.Select(row => row.Row.Seq));
        Assert.True(IsBudgetFree());
    }

    [Theory]
    [InlineData(Limits.AnnouncedBytesMax, true)]
    [InlineData(Limits.AnnouncedBytesMax + 1, false)]
    public async Task Past_its_bytes_only_the_head_waits(int bytes, bool isAnnounced)
    {
        var (queue, arrives) = await Held();
        await Tell(queue, Rows(2, bytes - 1), Rows(3));
        await turns.Run(arrives.SetResult);

        AssertTold(isAnnounced, head: 3);
    }

    [Theory]
    [InlineData(Limits.AnnouncedRowsMax, true)]
    [InlineData(Limits.AnnouncedRowsMax + 1, false)]
    public async Task Past_its_rows_only_the_head_waits(int rows, bool isAnnounced)
    {
        var (queue, arrives) = await Held();
        foreach (var seq in Enumerable.Range(2, rows)) await Tell(queue, Rows(seq));
        await turns.Run(arrives.SetResult);

        AssertTold(isAnnounced, head: rows + 1);
    }

    [Fact]
    public async Task What_follows_a_head_that_waits_raises_it()
    {
        var (queue, arrives) = await Held();
        await Tell(queue, Rows(2, Limits.AnnouncedBytesMax + 1), Rows(3), Rows(4));
        await turns.Run(arrives.SetResult);

        AssertTold(isAnnounced: false, head: 4);
    }

    [Fact]
    public async Task Rows_with_a_gap_between_them_are_announced_as_the_head_alone()
    {
        var (queue, arrives) = await Held();
        await Tell(queue, Rows(2), Rows(4));
        await turns.Run(arrives.SetResult);

        AssertTold(isAnnounced: false, head: 4);
    }

    [Fact]
    public async Task Nothing_that_closes_a_socket_is_lost_in_a_merge()
    {
        var (queue, arrives) = await Held();
        await Tell(
            queue,
            new UserNews(User) { NotBeforeMs = 7, Evicted = ["a"] },
            new UserNews(User) { Revoked = [new DeviceId("d1")], ActivationEnded = true },
            Rows(2),
            new UserNews(User) { NotBeforeMs = 5, Evicted = ["b"], Revoked = [new DeviceId("d2")] });
        await turns.Run(arrives.SetResult);

        var merged = gateway.News[1];
        Assert.Equal(["a", "b"], merged.Evicted!);
        Assert.Equal(["d1", "d2"], merged.Revoked!.Select(device => device.Value));
        Assert.Equal((7, true, 2), (merged.NotBeforeMs, merged.ActivationEnded, merged.Announcement!.Head.Number));
    }

    [Fact]
    public async Task Past_the_bytes_of_a_silo_only_heads_are_announced_until_deliveries_free_some()
    {
        var arrives = new TaskCompletionSource();
        var fill = (int)(Limits.AnnouncedBytesPerSiloMax / Limits.AnnouncedBytesMax);
        var queues = Enumerable.Range(0, fill).Select(_ => Queue(new RecordingGateway { Delivering = () => arrives.Task })).ToList();
        foreach (var queue in queues) await Tell(queue, Rows(1, Limits.AnnouncedBytesMax));

        await Tell(Queue(gateway), Rows(1));
        Assert.Null(gateway.News[0].Announcement);
        Assert.Equal(1, gateway.News[0].Head!.Value.Seq.Number);

        await turns.Run(arrives.SetResult);
        await Tell(Queue(gateway), Rows(1));
        Assert.NotNull(gateway.News[1].Announcement);
        Assert.True(IsBudgetFree());
    }

    [Fact]
    public async Task A_process_that_fails_gets_no_more_announcements_and_its_bytes_are_released()
    {
        var (queue, arrives) = await Held();
        await Tell(queue, Rows(2), Rows(3));
        Assert.False(IsBudgetFree());

        await turns.Run(() => arrives.SetException(new TimeoutException()));

        Assert.Equal((1, 1), (lost, gateway.News.Count));
        Assert.True(IsBudgetFree());
    }

    /// <summary>Orleans keeps the time of the call.</summary>
    [Fact]
    public void A_process_that_hangs_fails_after_two_seconds()
    {
        var limit = typeof(IGatewayObserver).GetMethod(nameof(IGatewayObserver.Tell))!.GetCustomAttribute<ResponseTimeoutAttribute>();
        Assert.Equal(TimeSpan.FromSeconds(2), limit!.Timeout);
    }

    [Fact]
    public async Task A_process_that_fails_is_removed_and_the_others_get_the_announcement()
    {
        using var stage = new RosterStage();
        await stage.Report("failing", 1, "a");
        await stage.Report("p", 1, "b");
        stage.Gateway("failing").Delivering = () => throw new TimeoutException();
        stage.Connections.Announce(Rows(1).Announcement!);

        Assert.Equal(1, stage.Connections.Count);
        Assert.Single(stage.Gateway("p").Announcements);
        Assert.False((await stage.Report("failing", 2, "a")).IsKnown);
    }

    [Fact]
    public async Task The_own_process_gets_announcements_at_once_and_without_a_message()
    {
        local.Delivering = () => new TaskCompletionSource().Task;
        var queue = Queue(gateway, isLocal: true);
        await Tell(queue, Rows(1, Limits.AnnouncedBytesMax + 1), Rows(2), Rows(3));

        Assert.Empty(gateway.News);
        Assert.Equal([1L, 2L, 3L], local.Announcements.Select(news => news.Head.Number));
        Assert.True(IsBudgetFree());
    }

    [Fact]
    public async Task A_bug_in_the_own_process_reaches_no_commit()
    {
        var queue = new AnnouncementQueue(
            new PlainNode(null!, new FakeClock(), gateway: new Throwing()).Silo, gateway, isLocal: true, () => lost++);
        await Tell(queue, Rows(1));
        Assert.Equal(0, lost);
    }

    private AnnouncementQueue Queue(RecordingGateway to, bool isLocal = false) => new(node.Silo, to, isLocal, () => lost++);

    /// <summary>A queue whose first message, of revision 1, is under way until the test lets it arrive.</summary>
    private async Task<(AnnouncementQueue Queue, TaskCompletionSource Arrives)> Held()
    {
        var arrives = new TaskCompletionSource();
        gateway.Delivering = () => arrives.Task;
        var queue = Queue(gateway);
        await Tell(queue, Rows(1));
        return (queue, arrives);
    }

    private Task Tell(AnnouncementQueue queue, params UserNews[] news) => turns.Run(() => Array.ForEach(news, queue.Tell));

    private static UserNews Rows(long seq, int bytes = 1)
    {
        var row = new StoredRow(new EntityKey("goal", "g" + seq), seq, seq, 0, null, new byte[bytes]);
        return new UserNews(User)
        {
            Announcement = new Announcement(Epoch, new Revision(seq - 1), new Revision(seq), [new AnnouncedRow(row, null, IsNew: true)]),
        };
    }

    private void AssertTold(bool isAnnounced, long head)
    {
        var news = gateway.News[1];
        Assert.Equal(isAnnounced ? null : new SyncToken(Epoch, new Revision(head)), news.Head);
        Assert.Equal(isAnnounced ? head : null, news.Announcement?.Head.Number);
        Assert.True(IsBudgetFree());
    }

    private bool IsBudgetFree()
    {
        var isFree = node.Silo.Announcements.TryTake(Limits.AnnouncedBytesPerSiloMax);
        if (isFree) node.Silo.Announcements.Release(Limits.AnnouncedBytesPerSiloMax);
        return isFree;
    }

    private sealed class Throwing : IGatewayObserver
    {
        public Task Tell(UserNews news) => throw new InvalidOperationException();

        public Task<SilentConnection?> LongestSilent(UserId user) => Task.FromResult<SilentConnection?>(null);

        public Task<List<ConnectionPosition>> Positions(UserId user) => Task.FromResult<List<ConnectionPosition>>([]);
    }
}
