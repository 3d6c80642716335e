using Mirubato.Grains;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Engine;

/// <summary>The head of a minute ago: never further than it was, because the revisions between would not be sent.</summary>
public sealed class RecentHeadsTests
{
    private static readonly Epoch Epoch = new(Guid.NewGuid());

    private readonly RecentHeads heads = new();

    [Fact]
    public void No_head_is_known_for_the_time_before_the_first_note()
    {
        Assert.Null(heads.MinuteOld(0));
        heads.Note(Head(1), 0);
        Assert.Null(heads.MinuteOld(Limits.RecentHeadsMs - 1));
        Assert.Equal(Head(1), heads.MinuteOld(Limits.RecentHeadsMs));
    }

    [Fact]
    public void The_newest_head_that_is_a_minute_old_is_returned()
    {
        heads.Note(Head(1), 0);
        heads.Note(Head(5), 30_000);
        heads.Note(Head(9), 70_000);

        Assert.Equal(Head(1), heads.MinuteOld(89_999));
        Assert.Equal(Head(5), heads.MinuteOld(90_000));
        Assert.Equal(Head(9), heads.MinuteOld(200_000));
    }

    [Fact]
    public void A_head_that_has_not_moved_is_as_old_as_its_first_note()
    {
        heads.Note(Head(1), 0);
        heads.Note(Head(1), 50_000);
        Assert.Equal(Head(1), heads.MinuteOld(60_000));
    }

    [Fact]
    public void A_lower_head_is_ignored()
    {
        heads.Note(Head(5), 0);
        heads.Note(Head(4), 1);
        Assert.Equal(Head(5), heads.MinuteOld(100_000));
    }

    [Fact]
    public void Another_epoch_clears_the_noted_heads()
    {
        heads.Note(Head(5), 0);
        var other = new SyncToken(new Epoch(Guid.NewGuid()), new Revision(1));
        heads.Note(other, 60_000);
        Assert.Null(heads.MinuteOld(60_001));
        Assert.Equal(other, heads.MinuteOld(120_000));
    }

    [Fact]
    public void Under_many_changes_it_is_never_ahead_of_the_truth_and_at_most_two_seconds_behind()
    {
        const int everyMs = 7;
        for (var nowMs = 0; nowMs < 300_000; nowMs += everyMs)
        {
            heads.Note(Head((nowMs / everyMs) + 1), nowMs);
            if (nowMs < Limits.RecentHeadsMs) continue;
            var then = ((nowMs - Limits.RecentHeadsMs) / everyMs) + 1;
            Assert.InRange(heads.MinuteOld(nowMs)!.Value.Seq.Number, then - (2_000 / everyMs), then);
        }
    }

    private static SyncToken Head(long seq) => new(Epoch, new Revision(seq));
}
