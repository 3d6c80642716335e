using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    [Fact]
    public async Task A_history_starts_above_an_old_sequence_once_and_keeps_what_it_holds()
    {
        await Hold(Entries(await HistoryState(), 3));
        var before = await HistoryState();

        Assert.True(await Store.StartAbove(user, new Revision(500), Now, Cancel));
        var after = await HistoryState();
        Assert.False(await Store.StartAbove(user, new Revision(500), Now, Cancel));

        Assert.NotEqual(before.Epoch, after.Epoch);
        Assert.Equal((501, 500), (after.First.Number, after.Last.Number));
        Assert.Equal(before.Digest, after.Digest);
        Assert.True(after.Resets(before.Token));
        Assert.Equal(after, await HistoryState());
        Assert.Equal(CommitResult.FenceLost, (await Store.Commit(user, Entries(before, 1, "late"), Cancel)).Result);
        await Hold(Entries(after, 1, "new"));
        Assert.Equal(4, (await Page(new ReadQuery())).Rows.Count);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(7, 8)]
    public async Task A_new_user_starts_above_the_given_revision(long last, long first)
    {
        var other = User();

        Assert.Equal(last > 0, await Store.StartAbove(other, new Revision(last), Now, Cancel));

        Assert.Equal(new Revision(first), (await Store.HistoryState(other, null, Now, Cancel)).First);
    }
}
