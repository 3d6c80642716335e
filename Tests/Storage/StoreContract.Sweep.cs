using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    /// <summary>By when everything of <see cref="Sample.Now"/> is old.</summary>
    private const long Later = Now + 400 * DayMs;

    public static TheoryData<int> SweepSteps => [.. Enum.GetValues<SweepStep>().Cast<int>()];

    [Fact]
    public async Task The_key_of_tickets_survives_reopening()
    {
        var key = await Upkeep.TicketKey(Cancel);
        await Reopen();

        Assert.Equal(32, key.Length);
        Assert.NotEqual(new byte[32], key);
        Assert.Equal(key, await Upkeep.TicketKey(Cancel));
    }

    [Fact]
    public async Task Of_many_who_want_the_lease_exactly_one_gets_it()
    {
        for (var round = 0; round < 10; round++)
        {
            var at = Now + round;
            var got = await Task.WhenAll(
                Enumerable.Range(0, 8).Select(async i => await Upkeep.TryLease($"{round}-{i}", at, at + 1, Cancel)));
            Assert.Single(got, yes => yes);
        }
    }

    [Fact]
    public async Task A_lease_is_its_holders_until_it_expires()
    {
        Assert.True(await Upkeep.TryLease("a", Now, Now + 10, Cancel));

        Assert.False(await Upkeep.TryLease("b", Now + 9, Now + 99, Cancel));
        await Sweep(SweepStep.Receipts, "a", Now + 9);
        await Assert.ThrowsAsync<LeaseLostException>(() => Sweep(SweepStep.Receipts, "a", Now + 10));
        Assert.True(await Upkeep.TryLease("b", Now + 10, Now + 99, Cancel));
        Assert.False(await Upkeep.TryLease("a", Now + 10, Now + 99, Cancel));
    }

    [Fact]
    public async Task A_holder_renews_its_lease()
    {
        Assert.True(await Upkeep.TryLease("a", Now, Now + 10, Cancel));
        Assert.True(await Upkeep.TryLease("a", Now + 5, Now + 20, Cancel));

        Assert.False(await Upkeep.TryLease("b", Now + 10, Now + 99, Cancel));
        await Sweep(SweepStep.Receipts, "a", Now + 19);
    }

    [Fact]
    public async Task Only_the_holder_releases_a_lease()
    {
        Assert.True(await Upkeep.TryLease("a", Now, Now + 10, Cancel));
        await Upkeep.ReleaseLease("b", Cancel);
        Assert.False(await Upkeep.TryLease("b", Now, Now + 10, Cancel));

        await Upkeep.ReleaseLease("a", Cancel);
        await Assert.ThrowsAsync<LeaseLostException>(() => Sweep(SweepStep.Receipts, "a", Now));
        Assert.True(await Upkeep.TryLease("b", Now, Now + 10, Cancel));
    }

    [Fact]
    public async Task A_whole_sweep_does_nothing_while_another_holds_the_lease_and_frees_its_own()
    {
        await Hold(Commit(await HistoryState()) with { Receipts = [Receipt("k", Now)] });
        Assert.True(await Upkeep.TryLease("a", Now, Now + 1, Cancel));

        Assert.Equal(SweepReport.Nothing, await Upkeep.Sweep(Now, Cancel));
        await Upkeep.ReleaseLease("a", Cancel);
        Assert.Equal(1, (await Upkeep.Sweep(Now, Cancel)).Receipts);
        Assert.True(await Upkeep.TryLease("b", Now, Now + 1, Cancel));
    }

    [Theory]
    [MemberData(nameof(SweepSteps))]
    public async Task A_batch_without_the_lease_changes_nothing(int step)
    {
        UserId[] users = [user];
        await Populate(users[0], new Random(1), place: 0, erases: true);
        await Tombstones(TombstonesMax + 1);
        var before = await Dump(users, withRights: true);

        await Assert.ThrowsAsync<LeaseLostException>(() => Sweep((SweepStep)step, "nobody", Later));
        Assert.True(await Upkeep.TryLease("a", Later - 2, Later - 1, Cancel));
        await Assert.ThrowsAsync<LeaseLostException>(() => Sweep((SweepStep)step, "a", Later - 1));
        Assert.True(await Upkeep.TryLease("b", Later, Later + 1, Cancel));
        await Assert.ThrowsAsync<LeaseLostException>(() => Sweep((SweepStep)step, "a", Later));
        Assert.Equal(before, await Dump(users, withRights: true));

        Assert.InRange((await Sweep((SweepStep)step, "b", Later)).Removed, 1, SweepRowsMax);
        Assert.NotEqual(before, await Dump(users, withRights: true));
    }

    [Theory]
    [InlineData(SweepRowsMax - 1, true)]
    [InlineData(SweepRowsMax, false)]
    [InlineData(SweepRowsMax + 1, false)]
    public async Task A_batch_removes_so_many_rows_and_says_whether_that_was_all(int rows, bool done)
    {
        await Hold(Commit(await HistoryState()) with { Receipts = [.. Enumerable.Range(0, rows).Select(i => Receipt($"k{i}", Now))] });
        Assert.True(await Upkeep.TryLease("a", Now, Now + 1, Cancel));

        var first = await Sweep(SweepStep.Receipts, "a", Now);

        Assert.Equal(new SweepProgress(Math.Min(rows, SweepRowsMax), null, done), first);
    }

    [Fact]
    public async Task Trimming_goes_on_behind_the_users_it_has_looked_at()
    {
        var users = Enumerable.Range(0, SweepRowsMax + 1).Select(i => new UserId($"u{i}")).ToArray();
        foreach (var of in users) await Store.HistoryState(of, null, Now, Cancel);
        Assert.True(await Upkeep.TryLease("a", Now, Now + 1, Cancel));

        var first = await Sweep(SweepStep.TrimTombstones, "a", Now);
        Assert.Equal(new SweepProgress(0, users[SweepRowsMax - 1].Value, Done: false), first);
        Assert.Equal(new SweepProgress(0, null, Done: true), await Upkeep.Sweep(SweepStep.TrimTombstones, first.Cursor, "a", Now, Cancel));
    }

    private async Task<SweepProgress> Sweep(SweepStep step, string holder, long nowMs) =>
        await Upkeep.Sweep(step, null, holder, nowMs, Cancel);
}
