using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests;

/// <summary>How the bounds hang together: one that is changed alone fails here, with the reason.</summary>
public sealed class LimitsTests
{
    [Fact]
    public void A_body_holds_any_document_it_may_carry()
    {
        Assert.True(Limits.StoredBytesMax < Limits.BodyBytesMax);
        Assert.True(
            Limits.StoredBytesMax >= Limits.EntityBytesMax + (2 * 6 * UsableId.UnitsMax) + 256,
            "an id and a user in escapes, a version and two times are added to a document");
        Assert.True(Limits.EntityDepthMax + 3 <= Limits.BodyDepthMax, "a document stands three levels deep in a push: body, changes, list");
    }

    [Fact]
    public void A_coordinator_can_hold_the_largest_request_and_commit_the_largest_batch()
    {
        Assert.True(
            Limits.QueuedBytesMax >= Limits.BodyBytesMax + (256L * Limits.PushItemsMax),
            "what a waiting push weighs is its body and its items");
        Assert.True(Limits.BatchRowsMax >= Limits.BatchItemsMax);
        Assert.True(Limits.BatchRequestsMax <= Limits.QueuedWritesMax);
        Assert.True(Limits.FenceRetriesMax >= 1);
    }

    [Fact]
    public void A_page_holds_at_least_one_document_and_a_quota_at_least_one_push()
    {
        Assert.True(Limits.PageBytesMax >= Limits.StoredBytesMax);
        Assert.True(Limits.PageRowsMax <= Limits.PullLimitMax);
        Assert.True(new Quotas().LiveEntitiesMax >= Limits.PushItemsMax);
        Assert.True(new Quotas().BytesMax >= Limits.BodyBytesMax);
    }

    [Fact]
    public void The_parts_of_an_answer_fit_into_it()
    {
        const int rest = 256 * 1024;
        Assert.True(
            Limits.AnswerResultsBytesMax + Limits.AnswerCopiesBytesMax + Limits.AnswerChangesBytesMax + rest <= Limits.AnswerBytesMax);
        Assert.True(Limits.RefusalsListedMax >= Limits.BatchItemsMax, "a batch lists all of its results");
        Assert.True(
            Limits.BatchItemsMax * ((4 * 3 * UsableId.UnitsMax) + 500) < Limits.AnswerResultsBytesMax,
            "a batch lists all of its results, with the longest ids");
        Assert.True(Limits.ReceiptBytesMax > Limits.AnswerBytesMax && Limits.ReceiptBytesPerTrim < Limits.ReceiptBytesMax);
        Assert.True(Limits.TiedBytesMax > Limits.StoredBytesMax);
    }

    [Fact]
    public void Limits_that_depend_on_each_other_are_in_order()
    {
        Assert.True(Limits.TombstoneDays > Limits.ErasedTombstoneDays);
        Assert.True(
            Limits.EpochJump > Limits.TombstonesMax + new Quotas().LiveEntitiesMax, "an erased user's tombstones fit between two epochs");
        Assert.True(Limits.ConfirmedMs < Limits.ConfirmEveryMs, "what memory may decide is younger than what idle sockets wait for");
        Assert.True(2 * Limits.RosterRenewElsewhereMs < Limits.RosterSilentMs, "one lost report does not make a process silent");
        Assert.True(Limits.AnnouncedBytesMax < Limits.AnnouncedBytesPerSiloMax);
    }
}
