using System.Text;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Tests.Engine;

/// <summary>What waits to be told, and how it is written.</summary>
public class HintsTests
{
    private static readonly ProcessName Me = ProcessName.Fresh();
    private static readonly Epoch Life = Bits.FreshEpoch();

    public static TheoryData<Hint> Kinds => new(
        new HeadMoved(new UserId("u 1"), new SyncToken(Life, new Revision(long.MaxValue))),
        new HeadMoved(new UserId("gerät 🎻"), new SyncToken(Life, Revision.Origin)),
        new SignedOut(new UserId("u"), 1_800_000_000_000),
        new DeviceRevoked(new UserId("u"), new DeviceId("my phone: 1")),
        new Evicted(new UserId("u"), "c-1"));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_is_read_as_it_was_written(Hint hint) => Assert.Equal([hint], HintText.Read(HintText.Head(Me) + HintText.Line(hint)));

    [Theory]
    [InlineData("")]
    [InlineData("2x\nS1\tu\n")]
    [InlineData("1x\n\n\t\nS\tu\nS1\nS1\t\nSx\tu\nS-1\tu\nX1\tu\nHabc\tu\nH!!!!!!!!!!!!!!!!!!!!!!1\tu\nHAAAAAAAAAAAAAAAAAAAAAA\tu\n")]
    public void What_another_release_may_say_is_skipped(string text) => Assert.Empty(HintText.Read(text));

    [Fact]
    public void Of_a_user_only_the_newest_head_is_told()
    {
        var queue = new HintQueue(Me);
        foreach (var seq in (int[])[1, 3, 2]) queue.TryAdd(Moved("a", seq));
        queue.TryAdd(Moved("b", 9));
        queue.TryAdd(Moved("b", 1) with { Head = new SyncToken(default, new Revision(1)) });

        Assert.Equal([Moved("a", 3), new HeadMoved(new UserId("b"), new SyncToken(default, new Revision(1)))], Told(queue));
        Assert.Null(queue.Take());
    }

    [Fact]
    public void Who_is_turned_away_is_told_first()
    {
        var queue = new HintQueue(Me);
        queue.TryAdd(Moved("a", 1));
        queue.TryAdd(new SignedOut(new UserId("b"), 5));

        Assert.Equal([new SignedOut(new UserId("b"), 5), Moved("a", 1)], Told(queue));
    }

    [Fact]
    public void A_notification_is_filled_to_its_bound_and_not_over_it()
    {
        var queue = new HintQueue(Me);
        var users = Enumerable.Range(0, 400).Select(i => $"{new string('é', i % 250)}{i}").ToList();
        foreach (var user in users) queue.TryAdd(Moved(user, 1));

        var told = new List<Hint>();
        for (var most = 0; queue.Take() is var (text, count); most = Encoding.UTF8.GetByteCount(text))
        {
            Assert.InRange(Encoding.UTF8.GetByteCount(text), 1, Limits.HintBytesMax);
            Assert.True(told.Count == 0 || most > Limits.HintBytesMax - 600, $"{most} bytes are far from full.");
            told.AddRange(HintText.Read(text));
            Assert.Equal(count, HintText.Read(text).Count());
        }

        Assert.Equal(users.Select(user => Moved(user, 1)), told);
    }

    [Fact]
    public void The_longest_ids_fit_one_notification()
    {
        var longest = new string('\uffff', UsableId.UnitsMax);
        var queue = new HintQueue(Me);
        queue.TryAdd(new DeviceRevoked(new UserId(longest), new DeviceId(longest)));

        Assert.Single(Told(queue));
    }

    [Fact]
    public void As_many_may_wait_as_the_bound_says_and_a_waiting_head_still_moves()
    {
        var queue = new HintQueue(Me);
        for (var i = 0; i < Limits.HintsWaitingMax; i++)
        {
            Assert.True(queue.TryAdd(Moved($"{i}", 1)));
            Assert.True(queue.TryAdd(new SignedOut(new UserId("a"), i)));
        }

        Assert.False(queue.TryAdd(Moved("one more", 1)));
        Assert.False(queue.TryAdd(new SignedOut(new UserId("a"), 1)));
        Assert.True(queue.TryAdd(Moved("7", 2)));
        queue.Take();
        Assert.True(queue.TryAdd(new SignedOut(new UserId("a"), 1)));
    }

    [Fact]
    public void A_process_says_that_it_lives_well_before_it_is_taken_for_dead() =>
        Assert.True(Limits.HeartbeatEveryMs * 2 < Ages.GatewaySilenceMs && Limits.HintBytesMax < 8_000);

    private static HeadMoved Moved(string user, long seq) => new(new UserId(user), new SyncToken(Life, new Revision(seq)));

    private static IEnumerable<Hint> Told(HintQueue queue) => HintText.Read(queue.Take()!.Value.Text);
}
