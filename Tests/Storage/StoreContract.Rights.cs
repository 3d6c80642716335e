using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    [Fact]
    public async Task Signing_out_raises_the_rights_by_one()
    {
        Assert.Equal(1, await RightsRaisedBy(() => Store.SignOut(user, Now, Cancel)));
        Assert.Equal(1, await RightsRaisedBy(() => Store.SignOut(user, Now, Cancel)));
    }

    [Fact]
    public async Task Signing_out_a_user_without_a_row_counts_too()
    {
        var other = User();
        await Store.SignOut(other, Now, Cancel);

        Assert.Equal(1, (await Store.HistoryState(other, null, Now, Cancel)).Rights);
    }

    [Fact]
    public async Task Revoking_and_allowing_a_device_raise_the_rights_if_there_is_such_a_device()
    {
        Assert.Equal(0, await RightsRaisedBy(async () => Assert.False(await Store.RevokeDevice(user, Phone, Now, Cancel))));
        await Store.SeeDevice(user, Phone, 0, 9, Now, Cancel);

        Assert.Equal(1, await RightsRaisedBy(async () => Assert.True(await Store.RevokeDevice(user, Phone, Now, Cancel))));
        Assert.Equal(1, await RightsRaisedBy(async () => Assert.True(await Store.RevokeDevice(user, Phone, null, Cancel))));
        Assert.Equal(
            0, await RightsRaisedBy(async () => Assert.False(await Store.RevokeDevice(user, new DeviceId("other"), null, Cancel))));
    }

    [Fact]
    public async Task Revoking_a_device_leaves_the_rights_of_another_user_alone()
    {
        var other = User();
        await Store.SeeDevice(other, Phone, 0, 9, Now, Cancel);

        Assert.Equal(0, await RightsRaisedBy(async () => Assert.True(await Store.RevokeDevice(other, Phone, Now, Cancel))));
        Assert.Equal(1, (await Store.HistoryState(other, null, Now, Cancel)).Rights);
    }

    [Fact]
    public async Task Erasing_raises_the_rights_by_one() =>
        Assert.Equal(1, await RightsRaisedBy(() => Store.Erase(user, Now, Cancel)));

    [Fact]
    public async Task Reading_and_writing_leave_the_rights_alone()
    {
        Assert.Equal(0, await RightsRaisedBy(async () =>
        {
            await Hold(Everything(await HistoryState()) with { Devices = [] });
            await Store.SeeDevice(user, Phone, 3, 9, Now, Cancel);
            await Store.SeeDevice(user, Phone, 4, 9, Now + 1, Cancel);
            await Store.TrimConflicts(user, 0, Cancel);
            await Page(new ReadQuery());
            await Store.Load(user, Revision.Origin, Now, Cancel);
            await Store.State(user, Now, Cancel);
            await Upkeep.BumpEpochs(Cancel);
        }));
    }

    [Fact]
    public async Task A_sweep_raises_the_rights_once_for_each_batch_that_raises_the_horizon()
    {
        const int batches = 2;
        await Tombstones(TombstonesMax + SweepRowsMax + 1);
        Assert.Equal(batches, await RightsRaisedBy(() => SweepWhole(Now)));
        Assert.Equal(0, await RightsRaisedBy(() => SweepWhole(Now)));

        await Store.Erase(user, Now, Cancel);
        Assert.Equal(batches, await RightsRaisedBy(() => SweepWhole(Now + Limits.ErasedTombstoneDays * DayMs)));
    }

    [Fact]
    public async Task A_sweep_that_leaves_the_horizon_where_it_is_leaves_the_rights_alone()
    {
        await Tombstones(TombstonesMax);
        await Hold(Commit(await HistoryState()) with { Losers = [Loser("a", "{}")], Receipts = [Receipt("k", Now)] });
        await Store.SeeDevice(user, Phone, 0, 9, Now, Cancel);

        Assert.Equal(0, await RightsRaisedBy(async () =>
            Assert.Equal(new SweepReport(1, 1, TombstonesMax, 1), await Upkeep.Sweep(Now + 400 * DayMs, Cancel))));
    }

    [Fact]
    public async Task No_raise_is_lost_among_many_at_once_and_commits()
    {
        const int each = 20;
        await Store.SeeDevice(user, Phone, 0, 9, Now, Cancel);
        async Task Often(Func<ValueTask> work)
        {
            for (var i = 0; i < each; i++) await work();
        }

        var raised = await RightsRaisedBy(async () => await Task.WhenAll(
            Often(() => Store.SignOut(user, Now, Cancel)),
            Often(async () => Assert.True(await Store.RevokeDevice(user, Phone, Now, Cancel))),
            Often(async () => Assert.True(await Store.RevokeDevice(user, Phone, null, Cancel))),
            Often(async () => await Hold(Entries(await HistoryState(), 1)))));

        Assert.Equal(3 * each, raised);
        Assert.Equal(each, (await HistoryState()).Last.Number);
    }

    [Fact]
    public async Task A_commit_that_holds_tells_the_rights_at_its_fence()
    {
        var at = await HistoryState();
        Assert.Equal(new CommitOutcome(CommitResult.Held, at.Rights), await Store.Commit(user, Entries(at, 1), Cancel));

        // Another process signed the user out: the head did not move, so the next commit still holds, and tells.
        await Store.SignOut(user, Now, Cancel);
        var next = await HistoryState();
        Assert.Equal(at.Rights + 1, next.Rights);
        Assert.Equal(new CommitOutcome(CommitResult.Held, next.Rights), await Store.Commit(user, Everything(next), Cancel));
        Assert.Equal(new CommitOutcome(CommitResult.Held, next.Rights), await Store.Commit(user, Commit(await HistoryState()), Cancel));
    }

    private async Task Tombstones(int count)
    {
        var at = await HistoryState();
        await Hold(Commit(at, [.. Enumerable.Range(1, count).Select(i => Tombstone(Entry($"t{i}"), at.Last.Number + i))]));
    }

    private async ValueTask SweepWhole(long nowMs) => await Upkeep.Sweep(nowMs, Cancel);

    private async Task<long> RightsRaisedBy(Func<ValueTask> work)
    {
        var before = (await HistoryState()).Rights;
        await work();
        return (await HistoryState()).Rights - before;
    }
}
