using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    [Fact]
    public async Task A_replaced_document_is_kept_as_it_was_before()
    {
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 1, """{"v":"älter"}""", device: "d9"), Row(Entry("b"), 2, """{"v":2}""")));
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 3, """{"v":"neu"}"""), Tombstone(Entry("b"), 4)) with
        {
            Replaced = [Replaced(Entry("a"), """{"v":"älter"}"""), Replaced(Entry("b"), """{"v":2}""")],
        });

        var kept = await Store.Conflicts(user, null, 10, Cancel);
        var a = Assert.Single(kept, conflict => conflict.Entity == Entry("a"));
        Assert.Equal("""{"v":"älter"}""", Text(a.Document));
        Assert.Equal((ConflictId.Replaced, 9L, new DeviceId("d9"), Now), (a.Reason, a.WinnerVersion, a.Device, a.CreatedMs));
        Assert.Equal("""{"v":2}""", Text(Assert.Single(kept, conflict => conflict.Entity == Entry("b")).Document));
    }

    [Fact]
    public async Task A_document_that_is_another_by_now_is_not_kept_as_replaced()
    {
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 1, """{"v":1}""")));
        await Hold(
            Commit(await HistoryState(), Row(Entry("a"), 2, """{"v":2}""")) with { Replaced = [Replaced(Entry("a"), "something else")] });

        Assert.Empty(await Store.Conflicts(user, null, 10, Cancel));
    }

    [Fact]
    public async Task The_same_loser_is_one_row_in_one_commit_and_in_many()
    {
        var loser = Loser("a", """{"v":1}""");
        await Hold(Commit(await HistoryState()) with { Losers = [loser, loser, Loser("a", """{"v":1}""", ConflictId.Deleted)] });
        await Hold(Commit(await HistoryState()) with { Losers = [loser with { WinnerVersion = 99 }] });

        Assert.Equal(2, (await Store.Conflicts(user, null, 10, Cancel)).Count);
        Assert.Equal(
            new ConflictReport(loser.Id, loser.Entity, loser.Reason, 3, loser.Device, Now, default),
            (await Store.Conflict(user, loser.Id, Cancel))! with { Document = default });
    }

    [Fact]
    public async Task The_feed_is_paged_newest_first()
    {
        for (var i = 0; i < 5; i++)
            await Hold(Commit(await HistoryState()) with { NowMs = Now + i / 2, Losers = [Loser($"l{i}", "{}")] });

        var all = await Store.Conflicts(user, null, 10, Cancel);
        var first = await Store.Conflicts(user, null, 2, Cancel);
        var second = await Store.Conflicts(user, first[^1].Id, 10, Cancel);

        Assert.Equal([Now + 2, Now + 1, Now + 1, Now, Now], all.Select(conflict => conflict.CreatedMs));
        Assert.Equal(all.Select(conflict => conflict.Id), first.Concat(second).Select(conflict => conflict.Id));
    }

    [Fact]
    public async Task Only_the_newest_conflicts_are_kept()
    {
        for (var i = 0; i < 4; i++)
            await Hold(Commit(await HistoryState()) with { NowMs = Now + i, Losers = [Loser($"l{i}", "{}")] });

        await Store.TrimConflicts(user, 4, Cancel);
        Assert.Equal(4, (await Store.Conflicts(user, null, 10, Cancel)).Count);
        await Store.TrimConflicts(user, 3, Cancel);
        Assert.Equal([Now + 3, Now + 2, Now + 1], (await Store.Conflicts(user, null, 10, Cancel)).Select(conflict => conflict.CreatedMs));
    }

    [Fact]
    public async Task A_conflict_is_deleted_once()
    {
        var loser = Loser("a", "{}");
        await Hold(Commit(await HistoryState()) with { Losers = [loser] });

        Assert.True(await Store.DeleteConflict(user, loser.Id, Cancel));
        Assert.False(await Store.DeleteConflict(user, loser.Id, Cancel));
        Assert.Null(await Store.Conflict(user, loser.Id, Cancel));
    }
}
