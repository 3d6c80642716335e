using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    [Fact]
    public async Task Migrating_again_changes_nothing()
    {
        await Hold(Entries(await HistoryState(), 1));
        await Upkeep.Migrate(Cancel);
        await Upkeep.Ping(Cancel);

        Assert.Equal(1L, Convert.ToInt64(await Sql("SELECT count(*) FROM schema_migrations")));
        Assert.Equal(new Revision(1), (await HistoryState()).Last);
    }

    [Fact]
    public async Task A_schema_of_a_newer_release_stops_the_start_and_names_the_remedy()
    {
        await Sql("INSERT INTO schema_migrations (version, name) VALUES (999, '999_future')");

        var e = await Assert.ThrowsAsync<InvalidOperationException>(async () => await Upkeep.Migrate(Cancel));
        Assert.Contains("999", e.Message, StringComparison.Ordinal);
        Assert.Contains("restore a backup", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Erasing_leaves_tombstones_in_a_new_epoch_far_ahead()
    {
        await Hold(Everything(await HistoryState()) with { Rows = [Row(Entry("a"), 1), Row(Entry("b"), 2)], Last = new Revision(2) });
        await Hold(Commit(await HistoryState(), Tombstone(Entry("b"), 3, Now + 50)));
        await Store.SeeDevice(user, Phone, 0, 9, Now, Cancel);
        var before = await HistoryState();

        await Store.Erase(user, Now + 9, Cancel);

        var after = await Store.Load(user, Revision.Origin, Now, Cancel);
        var first = 3 + Limits.EpochJump;
        Assert.NotEqual(before.Epoch, after.HistoryState.Epoch);
        Assert.Equal(
            (first, first + 1, UInt128.Zero), (after.HistoryState.First.Number, after.HistoryState.Last.Number, after.HistoryState.Digest));
        Assert.True(after.HistoryState.Resets(before.Token));
        Assert.Equal(
            [(Entry("a"), first, 2, Now + 9), (Entry("b"), first + 1, 4, Now + 51)], after.Heads.OrderBy(head => head.Head.Seq.Number)
            .Select(head => (head.Entity, head.Head.Seq.Number, (int)head.Head.Version, head.Head.PublishedMs)));
        Assert.All(after.Heads, head => Assert.True(head.Head is { IsDeleted: true, Fingerprint.IsNone: true, Bytes: 0, Echoes.Count: 0 }));
        Assert.All((await Page(new ReadQuery())).Rows, row => Assert.True(row.Data.IsEmpty));
        Assert.Empty(await Store.Devices(user, Cancel));
        Assert.EndsWith(" 0 0", await Contents(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Erasing_a_user_who_has_nothing_still_begins_an_epoch()
    {
        var before = await HistoryState();
        await Store.Erase(user, Now, Cancel);

        var after = await HistoryState();
        Assert.NotEqual(before.Epoch, after.Epoch);
        Assert.Equal(after.First.Number - 1, after.Last.Number);
        Assert.False(after.Resets(after.Token));
        await Hold(Entries(after, 1));
    }

    [Fact]
    public async Task Bumped_epochs_turn_every_old_token_and_writer_away()
    {
        var other = User();
        await Hold(Entries(await HistoryState(), 3));
        var before = await HistoryState();
        var otherBefore = await Store.HistoryState(other, null, Now, Cancel);

        Assert.Equal(2, await Upkeep.BumpEpochs(Cancel));

        var after = await HistoryState();
        Assert.NotEqual(before.Epoch, after.Epoch);
        Assert.NotEqual(otherBefore.Epoch, (await Store.HistoryState(other, null, Now, Cancel)).Epoch);
        Assert.Equal(3 + Limits.EpochJump, after.First.Number);
        Assert.Equal(after.First.Number - 1, after.Last.Number);
        Assert.True(after.Resets(before.Token));
        Assert.Equal(CommitResult.FenceLost, (await Store.Commit(user, Entries(before, 1, "late"), Cancel)).Result);
        await Hold(Entries(after, 1, "new"));
        Assert.Equal(4, (await Page(new ReadQuery())).Rows.Count);
    }

    [Fact]
    public async Task A_restore_that_was_cut_off_is_finished_once_and_where_none_was_nothing_happens()
    {
        await Hold(Entries(await HistoryState(), 3));
        var before = await HistoryState();
        Assert.Null(await Upkeep.FinishRestore(Cancel));
        Assert.Equal(before, await HistoryState());

        for (var i = 0; i < 2; i++) await Sql(Administration.MarkRestore);
        Assert.Equal(1, await Upkeep.FinishRestore(Cancel));
        var after = await HistoryState();
        Assert.NotEqual(before.Epoch, after.Epoch);
        Assert.Equal(3 + Limits.EpochJump, after.First.Number);
        Assert.Null(await Upkeep.FinishRestore(Cancel));

        await Sql(Administration.MarkRestore);
        await Upkeep.BumpEpochs(Cancel);
        Assert.Null(await Upkeep.FinishRestore(Cancel));
    }

    [Fact]
    public async Task A_bumped_epoch_is_of_one_user()
    {
        var other = User();
        await Hold(Entries(await HistoryState(), 3));
        var before = await HistoryState();
        var otherBefore = await Store.HistoryState(other, null, Now, Cancel);

        await Store.BumpEpoch(user, Cancel);
        await Store.BumpEpoch(User(), Cancel);

        var after = await HistoryState();
        Assert.Equal(otherBefore, await Store.HistoryState(other, null, Now, Cancel));
        Assert.NotEqual(before.Epoch, after.Epoch);
        Assert.Equal(3 + Limits.EpochJump, after.First.Number);
        Assert.Equal(after.First.Number - 1, after.Last.Number);
        Assert.Equal(before.Digest, after.Digest);
        Assert.True(after.Resets(before.Token));
        Assert.Equal(CommitResult.FenceLost, (await Store.Commit(user, Entries(before, 1, "late"), Cancel)).Result);
        await Hold(Entries(after, 1, "new"));
        Assert.Equal(4, (await Page(new ReadQuery())).Rows.Count);
    }

    [Fact]
    public async Task A_sweep_takes_what_is_old_and_leaves_the_rest()
    {
        var young = Now + 40 * DayMs;
        await Hold(
            Commit(await HistoryState()) with { Losers = [Loser("a", "1")], Receipts = [Receipt("a", Now), Receipt("b", young + DayMs)] });
        await Hold(Commit(await HistoryState()) with { NowMs = young, Losers = [Loser("b", "1")] });
        await Store.SeeDevice(user, Phone, 0, 9, young - 366 * DayMs, Cancel);
        await Store.SeeDevice(user, new DeviceId("new"), 0, 9, young, Cancel);

        Assert.Equal(new SweepReport(Receipts: 1, Conflicts: 1, Tombstones: 0, Devices: 1), await Upkeep.Sweep(young, Cancel));
        Assert.Equal(new SweepReport(0, 0, 0, 0), await Upkeep.Sweep(young, Cancel));

        Assert.NotNull(await Store.Receipt(user, WriteScope.Push, "b", young, Cancel));
        Assert.Equal(Entry("b"), Assert.Single(await Store.Conflicts(user, null, 9, Cancel)).Entity);
        Assert.Equal("new", Assert.Single(await Store.Devices(user, Cancel)).Device.Value);
    }

    [Fact]
    public async Task An_old_tombstone_keeps_only_its_key_and_its_times()
    {
        await Hold(
            Commit(await HistoryState(), Tombstone(Entry("old"), 1), Tombstone(Entry("new"), 2, Now + DayMs), Row(Entry("live"), 3)));

        Assert.Equal(1, (await Upkeep.Sweep(Now + Limits.TombstoneDays * DayMs, Cancel)).Tombstones);

        var heads = (await Store.Load(user, Revision.Origin, Now, Cancel)).Heads;
        var old = Tombstone(Entry("old"), 1).Head with { Echoes = [], PreviousFingerprint = default, PreviousPublishedMs = 0 };
        AssertSame(old, heads.Single(head => head.Entity == Entry("old")).Head);
        AssertSame(Tombstone(Entry("new"), 2, Now + DayMs).Head, heads.Single(head => head.Entity == Entry("new")).Head);
        Assert.Equal(Revision.Origin, (await HistoryState()).Horizon);
    }

    [Theory]
    [InlineData(TombstonesMax, 0)]
    [InlineData(TombstonesMax + 1, 1)]
    [InlineData(TombstonesMax + 3, 3)]
    public async Task Tombstones_past_the_bound_go_and_the_horizon_rises_over_them(int count, int removed)
    {
        var at = await HistoryState();
        await Hold(Commit(at, [.. Enumerable.Range(1, count).Select(i => Tombstone(Entry($"t{i}"), i)), Row(Entry("live"), count + 1)]));

        Assert.Equal(removed, (await Upkeep.Sweep(Now, Cancel)).Tombstones);

        var page = await Page(new ReadQuery { Kind = RowKind.Tombstones });
        Assert.Equal(count - removed, page.Rows.Count);
        Assert.Equal(removed, page.HistoryState.Horizon.Number);
        Assert.DoesNotContain(page.Rows, row => row.Seq <= removed);
        Assert.Equal(removed > 0, page.HistoryState.Resets(at.Token));
    }

    [Fact]
    public async Task Tombstones_of_an_erased_user_go_when_their_time_has_come()
    {
        await Hold(Entries(await HistoryState(), 3));
        await Store.Erase(user, Now, Cancel);
        var at = await HistoryState();
        await Hold(Commit(at, Row(Entry("e000002"), at.Last.Number + 1)));

        Assert.Equal(0, (await Upkeep.Sweep(Now + Limits.ErasedTombstoneDays * DayMs - 1, Cancel)).Tombstones);
        Assert.Equal(2, (await Upkeep.Sweep(Now + Limits.ErasedTombstoneDays * DayMs, Cancel)).Tombstones);

        var page = await Page(new ReadQuery());
        Assert.Equal("e000002", Assert.Single(page.Rows).Entity.Id);
        Assert.Equal(at.Last, page.HistoryState.Horizon);
    }

    [Fact]
    public async Task Sweeping_while_others_commit_loses_no_row_and_no_revision()
    {
        const int commits = 60;
        var kept = new HashSet<long>();
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < commits; i++)
            {
                var at = await HistoryState();
                Assert.Equal(i * 2, at.Last.Number);
                await Hold(Commit(at, Row(Entry($"live{i}"), i * 2 + 1), Tombstone(Entry($"dead{i}"), i * 2 + 2)));
                kept.Add(i * 2 + 1);
            }
        });
        do
        {
            await Upkeep.Sweep(Now, Cancel);

            // Whatever is missing from one snapshot is covered by its horizon.
            var page = await Page(new ReadQuery { Rows = commits * 3 });
            var seen = page.Rows.Select(row => row.Seq).ToHashSet();
            for (var seq = page.HistoryState.Horizon.Number + 1; seq <= page.HistoryState.Last.Number; seq++) Assert.Contains(seq, seen);
        }
        while (!writing.IsCompleted);
        await writing;
        await Upkeep.Sweep(Now, Cancel);

        var end = await Page(new ReadQuery { Rows = commits * 3 });
        Assert.Equal(kept.Order(), end.Rows.Where(row => row.DeletedAtMs is null).Select(row => row.Seq));
        Assert.Equal(TombstonesMax, end.Rows.Count(row => row.DeletedAtMs is not null));
        Assert.Equal((commits - TombstonesMax) * 2, end.HistoryState.Horizon.Number);
    }
}
