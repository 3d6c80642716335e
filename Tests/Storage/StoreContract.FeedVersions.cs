using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    [Fact]
    public async Task A_replaced_document_of_which_a_version_is_kept_is_stored_once_and_the_feed_shows_it()
    {
        await Replace(Now, Row(Entry("a"), 1, """{"v":"älter"}""", device: "d9"), Row(Entry("b"), 2, """{"v":2}"""));
        await Overwrite(
            Now + 1, [Row(Entry("a"), 3, """{"v":"neu"}"""), Tombstone(Entry("b"), 4)],
            Replaced(Entry("a"), """{"v":"älter"}"""), Replaced(Entry("b"), """{"v":2}""") with { Members = ["/v"] });

        Assert.Equal(0L, await CopiesInFeed());
        var kept = await Store.Conflicts(user, null, 10, Cancel);
        var a = Assert.Single(kept, conflict => conflict.Entity == Entry("a"));
        Assert.Equal("""{"v":"älter"}""", Text(a.Document));
        Assert.Equal((ConflictId.Replaced, 9L, new DeviceId("d9"), Now + 1), (a.Reason, a.WinnerVersion, a.Device, a.CreatedMs));
        var b = Assert.Single(kept, conflict => conflict.Entity == Entry("b"));
        Assert.Equal(("""{"v":2}""", "/v"), (Text(b.Document), Assert.Single(b.Members!)));
        Assert.Equal("""{"v":2}""", Text((await Store.Conflict(user, b.Id, Cancel))!.Document));
    }

    [Fact]
    public async Task A_replaced_document_of_which_no_version_is_kept_is_in_the_feed_itself()
    {
        var other = new EntityKey("unversioned", "a");
        await Replace(Now, Row(Entry("a"), 1, """{"v":1}"""), Row(other, 2, """{"v":2}"""));
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 3), Row(other, 4)) with
        {
            Versions = [Entry("a")],
            Replaced = [Replaced(Entry("a"), """{"v":1}"""), Replaced(other, """{"v":2}""")],
        });

        Assert.Equal(1L, await CopiesInFeed());
        var kept = await Store.Conflicts(user, null, 10, Cancel);
        Assert.Equal("""{"v":1}""", Text(Assert.Single(kept, conflict => conflict.Entity == Entry("a")).Document));
        Assert.Equal("""{"v":2}""", Text(Assert.Single(kept, conflict => conflict.Entity == other).Document));
    }

    [Theory]
    [InlineData("dismissed")]
    [InlineData("past the bound of the feed")]
    public async Task A_version_that_the_feed_names_is_thinned_once_its_row_has_gone(string gone)
    {
        await NameTheFirstOfThree();
        var later = Now + 31 * DayMs;

        await Store.TrimVersions(user, entityBytesMax: 0, bytesMax: 0, later, Cancel);
        Assert.Equal([("a", 1L)], await Kept());
        var row = Assert.Single(await Store.Conflicts(user, null, 10, Cancel));
        Assert.Equal("""{"v":1}""", Text(row.Document));

        if (gone is "dismissed") await Store.DeleteConflict(user, row.Id, Cancel);
        else await Store.TrimConflicts(user, keep: 0, Cancel);
        await Store.TrimVersions(user, long.MaxValue, long.MaxValue, later, Cancel);
        Assert.Empty(await Kept());
    }

    [Fact]
    public async Task A_version_of_the_feed_is_thinned_like_any_other_once_its_row_has_gone()
    {
        await NameTheFirstOfThree();
        Assert.True(await Store.DeleteConflict(user, Assert.Single(await Store.Conflicts(user, null, 10, Cancel)).Id, Cancel));

        await Store.TrimVersions(user, long.MaxValue, long.MaxValue, Now + 9 * Minute, Cancel);
        Assert.Equal([("a", 1L), ("a", 2L), ("a", 3L)], await Kept());
        await Store.TrimVersions(user, long.MaxValue, long.MaxValue, Now + DayMs / 2, Cancel);
        Assert.Equal([("a", 3L)], await Kept());
    }

    [Fact]
    public async Task Sweeping_keeps_what_the_feed_names_and_then_takes_both()
    {
        await NameTheFirstOfThree();
        await Upkeep.Sweep(Now + Limits.ConflictDays * DayMs - 1, Cancel);
        Assert.Equal([("a", 1L), ("a", 3L)], await Kept());
        Assert.Equal("""{"v":1}""", Text(Assert.Single(await Store.Conflicts(user, null, 10, Cancel)).Document));

        await Upkeep.Sweep(Now + Limits.ConflictDays * DayMs + 9, Cancel);
        Assert.Empty(await Kept());
        Assert.Empty(await Store.Conflicts(user, null, 10, Cancel));
    }

    [Fact]
    public async Task What_the_feed_names_counts_once_against_the_bounds_and_stays_beyond_them()
    {
        var json = $"\"{new string('x', 742)}\"";
        await Replace(Now, Row(Entry("a"), 1, json));
        await Overwrite(Now + 1, [Row(Entry("a"), 2, json)], Replaced(Entry("a"), json));
        for (var version = 3; version <= 4; version++) await Replace(Now + version, Row(Entry("a"), version, json));
        await Overwrite(Now + 5, [Row(Entry("a"), 5, "{}")], Replaced(Entry("a"), json) with { Id = "another" });

        await Store.TrimVersions(user, entityBytesMax: 2_000, long.MaxValue, Now + 9, Cancel);
        Assert.Equal([("a", 1L), ("a", 3L), ("a", 4L)], await Kept());
        await Store.TrimVersions(user, long.MaxValue, bytesMax: 1_000, Now + 9, Cancel);
        Assert.Equal([("a", 1L), ("a", 4L)], await Kept());
    }

    [Fact]
    public async Task What_the_feed_alone_keeps_counts_against_the_bounds_as_well()
    {
        var json = $"\"{new string('x', 742)}\"";
        await Replace(Now, Row(Entry("a"), 1, json));
        await Replace(Now, Row(Entry("a"), 2, json));
        await Overwrite(Now + 120 * Minute, [Row(Entry("a"), 3, json)], Replaced(Entry("a"), json));
        await Replace(Now + 120 * Minute + 1, Row(Entry("a"), 4, json));

        await Store.TrimVersions(user, entityBytesMax: 3_000, long.MaxValue, Now + 300 * Minute, Cancel);
        Assert.Equal([("a", 1L), ("a", 2L), ("a", 3L)], await Kept());
        await Store.TrimVersions(user, entityBytesMax: 2_999, long.MaxValue, Now + 300 * Minute, Cancel);
        Assert.Equal([("a", 2L), ("a", 3L)], await Kept());
    }

    [Fact]
    public async Task The_same_document_replaced_twice_is_one_row_and_the_version_that_it_names_stays()
    {
        for (var version = 1; version <= 5; version++)
        {
            var (json, before) = ($$"""{"v":{{version % 2}}}""", $$"""{"v":{{(version + 1) % 2}}}""");
            await Overwrite(Now, [Row(Entry("a"), version, json)], version > 1 ? [Replaced(Entry("a"), before)] : []);
        }

        await Store.TrimVersions(user, 0, 0, Now + DayMs, Cancel);
        Assert.Equal([("a", 1L), ("a", 2L)], await Kept());
        Assert.Equal(
            ["""{"v":0}""", """{"v":1}"""], (await Store.Conflicts(user, null, 10, Cancel)).Select(row => Text(row.Document)).Order());
    }

    [Fact]
    public async Task A_row_of_the_feed_shows_and_keeps_the_version_of_its_own_user_and_goes_with_the_account()
    {
        var other = User();
        foreach (var (of, json) in new[] { (user, "\"mine\""), (other, "\"theirs\"") })
        {
            await Hold(of, Commit(await At(of), Row(Entry("a"), 1, json)));
            var replaced = Replaced(Entry("a"), json);
            await Hold(of, Commit(await At(of), Row(Entry("a"), 2)) with { Versions = [Entry("a")], Replaced = [replaced] });
        }

        var mine = Assert.Single(await Store.Conflicts(user, null, 10, Cancel));
        Assert.Equal("\"mine\"", Text(mine.Document));
        Assert.Equal("\"theirs\"", Text(Assert.Single(await Store.Conflicts(other, null, 10, Cancel)).Document));
        await Store.DeleteConflict(user, mine.Id, Cancel);
        await Store.TrimVersions(user, 0, 0, Now + DayMs, Cancel);
        Assert.Empty(await Kept());
        Assert.Single(await Store.Conflicts(other, null, 10, Cancel));

        await Store.Erase(other, Now + 1, Cancel);
        Assert.Empty(await Store.Conflicts(other, null, 10, Cancel));
        Assert.Empty(await Store.Versions(other, Start, 0, 10, Cancel));
    }

    private async Task NameTheFirstOfThree()
    {
        await Replace(Now, Row(Entry("a"), 1, """{"v":1}"""));
        await Overwrite(Now, [Row(Entry("a"), 2)], Replaced(Entry("a"), """{"v":1}"""));
        await Replace(Now + 1, Row(Entry("a"), 3));
        await Replace(Now + 2, Row(Entry("a"), 4));
    }

    private async Task<object?> CopiesInFeed() => await Sql($"SELECT count(document) FROM sync_conflicts WHERE user_id = '{user}'");

    /// <summary>A commit that keeps what it replaces, and puts some of it into the feed.</summary>
    private async Task Overwrite(long nowMs, NewRow[] rows, params ReplacedDocument[] replaced) => await Hold(
        Commit(await HistoryState(), rows) with { NowMs = nowMs, Versions = [.. rows.Select(row => row.Entity)], Replaced = replaced });
}
