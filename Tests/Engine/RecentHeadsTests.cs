using Mirubato.Grains;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Engine;

/// <summary>Where the history stood a minute ago: never further than it was, since what lies between would not be told.</summary>
public sealed class HeadTrailTests
{
    private static readonly Epoch Epoch = new(Guid.NewGuid());

    private readonly HeadTrail trail = new();

    [Fact]
    public void It_knows_nothing_of_before_its_first_note()
    {
        Assert.Null(trail.MinuteOld(0));
        trail.Note(Head(1), 0);
        Assert.Null(trail.MinuteOld(Limits.TrailMs - 1));
        Assert.Equal(Head(1), trail.MinuteOld(Limits.TrailMs));
    }

    [Fact]
    public void It_tells_the_last_note_that_is_a_minute_old()
    {
        trail.Note(Head(1), 0);
        trail.Note(Head(5), 30_000);
        trail.Note(Head(9), 70_000);

        Assert.Equal(Head(1), trail.MinuteOld(89_999));
        Assert.Equal(Head(5), trail.MinuteOld(90_000));
        Assert.Equal(Head(9), trail.MinuteOld(200_000));
    }

    [Fact]
    public void A_head_that_has_not_moved_is_as_old_as_its_first_note()
    {
        trail.Note(Head(1), 0);
        trail.Note(Head(1), 50_000);
        Assert.Equal(Head(1), trail.MinuteOld(60_000));
    }

    [Fact]
    public void A_head_from_before_says_nothing()
    {
        trail.Note(Head(5), 0);
        trail.Note(Head(4), 1);
        Assert.Equal(Head(5), trail.MinuteOld(100_000));
    }

    [Fact]
    public void Another_epoch_begins_anew()
    {
        trail.Note(Head(5), 0);
        var other = new SyncToken(new Epoch(Guid.NewGuid()), new Revision(1));
        trail.Note(other, 60_000);
        Assert.Null(trail.MinuteOld(60_001));
        Assert.Equal(other, trail.MinuteOld(120_000));
    }

    [Fact]
    public void Under_many_changes_it_is_never_ahead_of_the_truth_and_at_most_two_seconds_behind()
    {
        const int everyMs = 7;
        for (var nowMs = 0; nowMs < 300_000; nowMs += everyMs)
        {
            trail.Note(Head((nowMs / everyMs) + 1), nowMs);
            if (nowMs < Limits.TrailMs) continue;
            var then = ((nowMs - Limits.TrailMs) / everyMs) + 1;
            Assert.InRange(trail.MinuteOld(nowMs)!.Value.Seq.Number, then - (2_000 / everyMs), then);
        }
    }

    private static SyncToken Head(long seq) => new(Epoch, new Revision(seq));
}
