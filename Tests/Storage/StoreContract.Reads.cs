using Mirubato.Grains.Interfaces;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    [Theory]
    [InlineData(4, true)]
    [InlineData(5, false)]
    [InlineData(6, false)]
    public async Task A_page_says_whether_there_is_more(int rows, bool more)
    {
        await Hold(Entries(await HistoryState(), 5));

        foreach (var from in new EntityKey?[] { null, new EntityKey("", "") })
        {
            var page = await Page(new ReadQuery { Rows = rows, AfterKey = from });
            Assert.Equal(Math.Min(rows, 5), page.Rows.Count);
            Assert.Equal(more, page.More);
        }
    }

    [Fact]
    public async Task Pages_by_revision_join_to_the_whole()
    {
        await Hold(Entries(await HistoryState(), 25));
        await Hold(Commit(await HistoryState(), Tombstone(Entry("e000003"), 26), Row(Entry("e000001"), 27, """{"v":2}""")));

        var seqs = new List<long>();
        ReadPage page;
        do
        {
            page = await Page(new ReadQuery { Rows = 4, After = new Revision(seqs.LastOrDefault()) });
            seqs.AddRange(page.Rows.Select(row => row.Seq));
        }
        while (page.More);

        Assert.Equal(new[] { 2L }.Concat(Enumerable.Range(4, 24).Select(seq => (long)seq)), seqs);
        Assert.Equal(new Revision(27), page.HistoryState.Last);
    }

    [Fact]
    public async Task Pages_by_key_join_to_the_whole_in_the_order_of_bytes()
    {
        string[] ids = ["B", "a", "Z", "é", "z", "10", "9"];
        var rows = ids.Select((id, i) => Row(new EntityKey(i % 2 == 0 ? "goal" : "logbook_entry", id), i + 1)).ToArray();
        await Hold(Commit(await HistoryState(), rows));

        var keys = new List<EntityKey>();
        ReadPage page;
        do
        {
            page = await Page(new ReadQuery { Rows = 2, AfterKey = keys.Count == 0 ? new EntityKey("", "") : keys[^1] });
            keys.AddRange(page.Rows.Select(row => row.Entity));
        }
        while (page.More);

        Assert.Equal(["9", "B", "Z", "z", "10", "a", "é"], keys.Select(key => key.Id));
        Assert.Equal(["goal", "goal", "goal", "goal", "logbook_entry", "logbook_entry", "logbook_entry"], keys.Select(key => key.Type));
    }

    [Fact]
    public async Task Types_and_kinds_choose_the_rows()
    {
        await Hold(
            Commit(await HistoryState(), Row(Entry("a"), 1), Row(new EntityKey("goal", "g"), 2), Tombstone(new EntityKey("goal", "h"), 3)));

        foreach (var from in new EntityKey?[] { null, new EntityKey("", "") })
        {
            Assert.Equal([1, 2, 3], await Chosen(new ReadQuery { AfterKey = from }));
            Assert.Equal([2, 3], await Chosen(new ReadQuery { AfterKey = from, After = new Revision(1) }));
            Assert.Equal([2, 3], await Chosen(new ReadQuery { AfterKey = from, Types = ["goal", "practice_plan"] }));
            Assert.Equal([1], await Chosen(new ReadQuery { AfterKey = from, Types = ["goal"], ExceptTypes = true }));
            Assert.Equal([], await Chosen(new ReadQuery { AfterKey = from, Types = [] }));
            Assert.Equal([1, 2, 3], await Chosen(new ReadQuery { AfterKey = from, Types = [], ExceptTypes = true }));
            Assert.Equal([1, 2], await Chosen(new ReadQuery { AfterKey = from, Kind = RowKind.Live }));
            Assert.Equal([3], await Chosen(new ReadQuery { AfterKey = from, Kind = RowKind.Tombstones, Types = ["goal"] }));
        }
    }

    [Fact]
    public async Task A_page_stops_at_its_bytes_and_goes_on_behind_them()
    {
        const int size = 200 * 1024;
        var fitting = (Limits.PageBytesMax + size - 1) / size;
        await Hold(Entries(await HistoryState(), fitting + 2, json: $"\"{new string('x', size - 2)}\""));

        foreach (var from in new EntityKey?[] { null, new EntityKey("", "") })
        {
            var first = await Page(new ReadQuery { AfterKey = from });
            Assert.Equal(fitting, first.Rows.Count);
            Assert.True(first.More);
            Assert.All(first.Rows, row => Assert.Equal(size, row.Data.Length));
        }

        var second = await Page(new ReadQuery { After = new Revision(fitting) });
        Assert.Equal(2, second.Rows.Count);
        Assert.False(second.More);
    }

    [Fact]
    public async Task Rows_are_found_by_their_keys_tombstones_included()
    {
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 1), Tombstone(Entry("b"), 2)));

        var found = await Store.Rows(user, [Entry("a"), Entry("b"), Entry("c"), Entry("a")], Cancel);

        Assert.Equal([1, 2], found.Select(row => row.Seq).Order());
        Assert.Equal(Now, Assert.Single(found, row => row.Seq == 2).DeletedAtMs);
        Assert.True(Assert.Single(found, row => row.Seq == 2).Data.IsEmpty);
        Assert.Empty(await Store.Rows(user, [], Cancel));
    }

    private async Task<IEnumerable<long>> Chosen(ReadQuery query) => (await Page(query)).Rows.Select(row => row.Seq).Order();
}
