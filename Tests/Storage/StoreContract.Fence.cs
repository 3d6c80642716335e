using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    [Theory]
    [InlineData("head")]
    [InlineData("epoch")]
    [InlineData("missing row")]
    [InlineData("revoked device")]
    [InlineData("signed-out token")]
    public async Task A_lost_fence_leaves_nothing_behind(string cause)
    {
        var at = await HistoryState();
        await Hold(Commit(at, Row(Entry("old"), 1, """{"v":1}""")));
        var commit = Everything(await HistoryState());
        commit = await Spoil(cause, commit);
        var before = await Contents();

        Assert.Equal(CommitResult.FenceLost, (await Store.Commit(user, commit, Cancel)).Result);
        Assert.Equal(before, await Contents());
    }

    [Fact]
    public async Task A_fence_that_holds_lets_all_of_it_in()
    {
        await Hold(Commit(await HistoryState(), Row(Entry("old"), 1, """{"v":1}""")));
        await Store.SeeDevice(user, new DeviceId("d1"), 0, 9, Now, Cancel);
        await Store.SignOut(user, Now, Cancel);

        await Hold(Everything(await HistoryState()));

        Assert.Equal("2 2 1", await Contents());
    }

    [Fact]
    public async Task Of_many_commits_on_one_head_exactly_one_holds()
    {
        for (var round = 0; round < 10; round++)
        {
            var at = await HistoryState();
            var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
                await Store.Commit(user, Entries(at, 2, $"r{round}w{i}-") with { Receipts = [Receipt($"r{round}w{i}")] }, Cancel)));

            Assert.Single(results, outcome => outcome.Result == CommitResult.Held);
            Assert.Equal(7, results.Count(outcome => outcome.Result == CommitResult.FenceLost));
        }

        Assert.Equal("20 0 10", await Contents());
        Assert.Equal(new Revision(20), (await HistoryState()).Last);
    }

    [Fact]
    public async Task A_new_user_written_by_many_at_once_gets_one_epoch_and_one_first_commit()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            var at = await Store.HistoryState(user, null, Now, Cancel);
            return (at.Epoch, Outcome: await Store.Commit(user, Entries(at with { Last = Revision.Origin }, 1, $"w{i}-"), Cancel));
        }));

        Assert.Single(results.Select(result => result.Epoch).Distinct());
        Assert.Single(results, result => result.Outcome.Result == CommitResult.Held);
    }

    [Fact]
    public async Task A_stale_writer_cannot_write_into_an_erased_and_rebuilt_user()
    {
        await Hold(Entries(await HistoryState(), 3));
        var stale = await HistoryState();
        await Store.Erase(user, Now, Cancel);
        var rebuilt = await HistoryState();
        await Hold(Entries(rebuilt, 1, "new"));

        Assert.Equal(CommitResult.FenceLost, (await Store.Commit(user, Entries(stale, 1, "late"), Cancel)).Result);
        var wrongHead = Entries(stale with { Epoch = rebuilt.Epoch }, 1, "late");
        Assert.Equal(CommitResult.FenceLost, (await Store.Commit(user, wrongHead, Cancel)).Result);
        var wrongEpoch = Entries(stale with { Last = rebuilt.Last.Next }, 1, "late");
        Assert.Equal(CommitResult.FenceLost, (await Store.Commit(user, wrongEpoch, Cancel)).Result);
    }

    /// <summary>A commit that writes into every table it can.</summary>
    private static Commit Everything(HistoryState at) =>
        Commit(at, Row(Entry("old"), at.Last.Number + 1, """{"v":2}"""), Row(Entry("new"), at.Last.Number + 2)) with
        {
            Devices = [new DeviceId("d1"), new DeviceId("d2")],
            Replaced = [Replaced(Entry("old"), """{"v":1}""")],
            Losers = [Loser("lost", """{"v":0}""")],
            Receipts = [Receipt("k")],
        };

    private async Task<Commit> Spoil(string cause, Commit commit)
    {
        switch (cause)
        {
            case "head":
                return commit with { Expected = commit.Expected with { Seq = Revision.Origin } };
            case "epoch":
                return commit with { Expected = commit.Expected with { Epoch = new Epoch(Guid.NewGuid()) } };
            case "missing row":
                await Sql($"DELETE FROM sync_metadata WHERE user_id = '{user}'");
                return commit;
            case "revoked device":
                await Store.SeeDevice(user, new DeviceId("d2"), 0, 9, Now, Cancel);
                await Store.RevokeDevice(user, new DeviceId("d2"), Now, Cancel);
                return commit;
            default:
                await Store.SignOut(user, Now + 1, Cancel);
                return commit;
        }
    }

    /// <summary>How many rows, conflicts and receipts the user has, as text.</summary>
    private async Task<string> Contents()
    {
        var counts = new List<object?>();
        foreach (var table in (string[])["sync_data", "sync_conflicts", "idempotency_keys"])
            counts.Add(await Sql($"SELECT count(*) FROM {table} WHERE user_id = '{user}'"));
        return string.Join(' ', counts);
    }
}
