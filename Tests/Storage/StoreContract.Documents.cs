using Mirubato.Grains.Interfaces;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    private static readonly LiveQuery AllLive = new(Types: null, RowsMax: 1_000, BytesMax: 1_000_000);

    [Fact]
    public async Task Live_documents_are_joined_by_type()
    {
        await Hold(Commit(
            await HistoryState(), Row(Entry("a"), 1, """{"v":"é"}"""), Row(Goal("g"), 2, """{"g":1}"""), Row(Entry("b"), 3, """{"v":2}"""),
            Row(new EntityKey("zebra", "z"), 4, """{"z":1}"""), Row(Goal("gone"), 5)));
        await Hold(Commit(await HistoryState(), Tombstone(Goal("gone"), 6), Tombstone(new EntityKey("annotation", "none"), 7)));

        var live = await Documents(AllLive);

        Assert.Equal(await HistoryState(), live.HistoryState);
        Assert.Equal(["goal", "logbook_entry", "zebra"], live.Types!.Select(type => type.Type).Order());
        Assert.Equal("""{"g":1}""", Joined(live, "goal"));
        Assert.Equal("""{"v":"é"},{"v":2}""", Joined(live, "logbook_entry"));
        Assert.Equal([1, 2, 1], live.Types!.OrderBy(type => type.Type).Select(type => type.Count));
    }

    [Fact]
    public async Task A_user_without_documents_has_none_joined()
    {
        await Hold(Entries(await HistoryState(), 2));

        Assert.Empty((await Store.Documents(User(), null, AllLive, Now, Cancel)).Types!);
        Assert.Empty((await Documents(AllLive with { Types = ["goal"] })).Types!);
    }

    [Fact]
    public async Task Only_the_types_asked_for_are_joined_and_counted()
    {
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 1), Row(Goal("g"), 2), Row(Entry("b"), 3)));

        var goals = await Documents(new LiveQuery(["goal", "zebra"], RowsMax: 1, BytesMax: 2));

        Assert.Equal("goal", Assert.Single(goals.Types!).Type);
    }

    [Theory]
    [InlineData(5, 10, true)]
    [InlineData(4, 10, false)]
    [InlineData(5, 9, false)]
    public async Task Past_either_bound_nothing_is_joined(int rows, long bytes, bool fits)
    {
        await Hold(Commit(await HistoryState(), [.. Enumerable.Range(1, 5).Select(seq => Row(Entry($"e{seq}"), seq))]));

        var live = await Documents(new LiveQuery(null, rows, bytes));

        Assert.Equal(fits, live.Types is not null);
        Assert.Equal(new Revision(5), live.HistoryState.Last);
    }

    [Theory]
    [InlineData(Limits.JoinedDocumentBytesMax, true)]
    [InlineData(Limits.JoinedDocumentBytesMax + 1, false)]
    public async Task A_large_document_is_not_joined(int bytes, bool fits)
    {
        var largest = $"{{\"notes\":\"{new string('x', bytes - 12)}\"}}";
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 1, largest), Row(Entry("b"), 2)));

        var live = await Documents(AllLive);

        Assert.Equal(fits, live.Types is not null);
        if (fits) Assert.Equal($"{largest},{{}}", Joined(live, "logbook_entry"));
    }

    [Fact]
    public async Task Documents_are_joined_in_pieces_that_are_no_large_objects()
    {
        var rows = Enumerable.Range(1, 40).Select(seq => Row(
            seq < 20 ? Entry($"e{seq:d2}") : Goal($"g{seq:d2}"), seq, $"{{\"{seq:d2}\":\"{new string('x', 7_777)}\"}}")).ToArray();
        await Hold(Commit(await HistoryState(), rows));

        var live = await Documents(AllLive);

        foreach (var type in rows.GroupBy(row => row.Entity.Type))
            Assert.Equal(string.Join(',', type.Select(row => Text(row.Data))), Joined(live, type.Key));
        Assert.All(live.Types!.SelectMany(type => type.Chunks), chunk => Assert.InRange(chunk.Length, 1, 64 * 1024));
    }

    [Fact]
    public async Task Joined_documents_say_whether_the_device_is_revoked()
    {
        var device = new DeviceId("d1");
        await Store.SeeDevice(user, device, 0, 9, Now, Cancel);
        await Store.RevokeDevice(user, device, Now, Cancel);

        Assert.True((await Store.Documents(user, device, AllLive, Now, Cancel)).HistoryState.DeviceRevoked);
        Assert.False((await Documents(AllLive)).HistoryState.DeviceRevoked);
    }

    private static EntityKey Goal(string id) => new("goal", id);

    private async Task<LiveDocuments> Documents(LiveQuery query) => await Store.Documents(user, null, query, Now, Cancel);

    private static string Joined(LiveDocuments live, string type) =>
        string.Concat(live.Types!.Single(one => one.Type == type).Chunks.SelectMany(chunk => Text(chunk)));
}
