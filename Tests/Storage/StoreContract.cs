using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

/// <summary>What every store promises. Each is run with a database of its own per test.</summary>
public abstract partial class StoreContract : IAsyncLifetime
{
    protected const int TombstonesMax = 5;

    /// <summary>So few that a handful of rows takes several batches.</summary>
    protected const int SweepRowsMax = 3;

    protected static readonly CancellationToken Cancel = CancellationToken.None;

    private readonly UserId user = User();

    private protected abstract IUserStore Store { get; }

    private protected abstract IStoreUpkeep Upkeep { get; }

    public abstract Task InitializeAsync();

    public abstract Task DisposeAsync();

    /// <summary>Ends the store and starts another over the same database, as a restarted process does.</summary>
    protected abstract Task Reopen();

    /// <summary>One scalar by plain SQL that both databases understand, past the store.</summary>
    protected abstract Task<object?> Sql(string sql);

    [Fact]
    public async Task A_user_is_provisioned_by_whatever_reads_first()
    {
        var other = User();
        var loaded = await Store.Load(user, Revision.Origin, Now, Cancel);
        var read = await Store.Read(other, null, new ReadQuery(), Now, Cancel);

        Assert.Empty(loaded.Heads);
        Assert.Equal(new Revision(1), loaded.HistoryState.First);
        Assert.Equal(Revision.Origin, loaded.HistoryState.Last);
        Assert.Equal(Now, loaded.HistoryState.CreatedMs);
        Assert.NotEqual(loaded.HistoryState.Epoch, read.HistoryState.Epoch);
        Assert.Equal(loaded.HistoryState, await Store.HistoryState(user, null, Now + 1, Cancel));
    }

    [Fact]
    public async Task What_is_committed_is_loaded_field_by_field()
    {
        var longest = new string('é', 255) + "z";
        var row = new NewRow(new EntityKey("my_type", longest), new EntityHead
        {
            Seq = new Revision(1),
            Version = 17,
            EffectiveMs = Now,
            ClientMs = Now + 1,
            PublishedMs = Now + 2,
            NamedVersion = long.MaxValue - 5,
            Device = new DeviceId(new string('音', 200) + "🎻"),
            Fingerprint = new Fingerprint(UInt128.MaxValue - 5),
            PreviousFingerprint = new Fingerprint(UInt128.One << 127),
            PreviousPublishedMs = Now - 3,
            Echoes = [new Echo(Now + 9, Now, new DeviceId("gerät-🎻")), new Echo(Now + 8, Now - 1, null)],
            Bytes = 42,
        }, """{"notes":"naïve 🎹 \u0000 \ud800 '; DROP TABLE x --"}"""u8.ToArray());

        await Hold(Commit(await HistoryState(), row, Tombstone(Entry("gone"), 2)));

        var heads = (await Store.Load(user, Revision.Origin, Now, Cancel)).Heads;
        var live = Assert.Single(heads, head => head.Entity == row.Entity).Head;
        AssertSame(row.Head, live);
        var dead = Assert.Single(heads, head => head.Entity == Entry("gone")).Head;
        AssertSame(Tombstone(Entry("gone"), 2).Head, dead);
        Assert.Equal(Text(row.Data), Text(Assert.Single(await Store.Rows(user, [row.Entity], Cancel)).Data));
    }

    [Fact]
    public async Task A_commit_moves_the_standing()
    {
        var before = await HistoryState();
        await Hold(Entries(before, 3) with { Digest = UInt128.MaxValue - 1 });

        var after = await HistoryState();
        Assert.Equal(new SyncToken(before.Epoch, new Revision(3)), after.Token);
        Assert.Equal(UInt128.MaxValue - 1, after.Digest);
        Assert.Equal(Now, after.LastSyncMs);
    }

    [Fact]
    public async Task Every_way_to_read_tells_the_same_standing()
    {
        await Store.SignOut(user, Now - 5, Cancel);
        await Hold(Entries(await HistoryState(), 3) with { Digest = UInt128.MaxValue / 3, NowMs = Now + 7 });
        await Store.Erase(user, Now + 8, Cancel);
        await Hold(Entries(await HistoryState(), 2, "n") with { Digest = 1, NowMs = Now + 9 });
        await Upkeep.Sweep(Now + Limits.ErasedTombstoneDays * DayMs + 8, Cancel);

        var history = await HistoryState();
        Assert.True(history.Horizon.IsAfter(Revision.Origin));
        Assert.Equal(history, (await Page(new ReadQuery())).HistoryState);
        Assert.Equal(history, (await Store.Load(user, Revision.Origin, Now, Cancel)).HistoryState);
    }

    [Fact]
    public async Task Loading_after_a_revision_gives_what_came_since()
    {
        await Hold(Entries(await HistoryState(), 5));

        var snapshot = await Store.Load(user, new Revision(3), Now, Cancel);

        Assert.Equal([4, 5], snapshot.Heads.Select(head => head.Head.Seq.Number).Order());
        Assert.Equal(new Revision(5), snapshot.HistoryState.Last);
    }

    [Fact]
    public async Task An_entity_committed_again_replaces_its_row()
    {
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 1, """{"v":1}""")));
        await Hold(Commit(await HistoryState(), Tombstone(Entry("a"), 2)));
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 3, """{"v":3}""", device: null)));

        var head = Assert.Single((await Store.Load(user, Revision.Origin, Now, Cancel)).Heads).Head;
        AssertSame(Row(Entry("a"), 3, """{"v":3}""", device: null).Head, head);
        Assert.Equal("""{"v":3}""", Text(Assert.Single(await Store.Rows(user, [Entry("a"), Entry("b")], Cancel)).Data));
    }

    [Fact]
    public async Task A_document_as_large_as_allowed_comes_back_whole()
    {
        var json = $"\"{new string('x', Limits.EntityBytesMax - 2)}\"";
        await Hold(Commit(await HistoryState(), Row(Entry("big"), 1, json)));

        Assert.Equal(json, Text(Assert.Single((await Page(new ReadQuery())).Rows).Data));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_commit_that_cannot_be_is_a_bug_and_is_never_sent(int mistake)
    {
        var at = await HistoryState();
        var commit = mistake switch
        {
            1 => Commit(at, Row(Entry("a"), 1), Row(Entry("a"), 2)),
            2 => Commit(at, Row(Entry("a"), 2), Row(Entry("b"), 2)),
            _ => Commit(at, Row(Entry("a"), 1)) with { Receipts = [Receipt("k"), Receipt("k")] },
        };

        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.Commit(user, commit, Cancel));
        Assert.Equal(at, await HistoryState());
    }

    [Fact]
    public async Task One_user_sees_nothing_of_another()
    {
        var other = User();
        await Hold(Entries(await HistoryState(), 2) with { Losers = [Loser("a", "{}")], Receipts = [Receipt("k")] });
        await Store.SeeDevice(user, new DeviceId("d1"), 0, 9, Now, Cancel);

        Assert.Empty((await Store.Read(other, null, new ReadQuery(), Now, Cancel)).Rows);
        Assert.Empty((await Store.Load(other, Revision.Origin, Now, Cancel)).Heads);
        Assert.Empty(await Store.Rows(other, [Entry("e000001")], Cancel));
        Assert.Empty(await Store.Conflicts(other, null, 10, Cancel));
        Assert.Empty(await Store.Devices(other, Cancel));
        Assert.Null(await Store.Receipt(other, WriteScope.Push, "k", Now, Cancel));
    }

    /// <summary>Equality of records, and of the lists in them by content.</summary>
    private static void AssertSame(EntityHead expected, EntityHead actual)
    {
        Assert.Equal(expected with { Echoes = [] }, actual with { Echoes = [] });
        Assert.Equal(expected.Echoes, actual.Echoes);
    }

    private async Task<HistoryState> HistoryState() => await Store.HistoryState(user, null, Now, Cancel);

    private async Task<ReadPage> Page(ReadQuery query) => await Store.Read(user, null, query, Now, Cancel);

    private async Task Hold(Commit commit) => Assert.Equal(CommitResult.Held, (await Store.Commit(user, commit, Cancel)).Result);
}
