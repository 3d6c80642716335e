using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    private const long Minute = 60_000;

    private static readonly EntityKey Start = new("", "");

    [Fact]
    public async Task What_is_replaced_becomes_a_version_field_by_field()
    {
        var merged = Row(Entry("a"), 1, """{"v":"älter"}""", device: "d9");
        merged = merged with { Head = merged.Head with { MergedIn = new ChangeTime(Now - 7, Now - 6, new DeviceId("d9")) } };
        await Hold(Commit(await HistoryState(), merged) with { NowMs = Now });
        await Replace(Now + 5, Tombstone(Entry("a"), 2));
        await Replace(Now + 9, Row(Entry("a"), 3, """{"v":3}""", device: null));

        var states = await Store.History(user, Entry("a"), long.MaxValue, 10, Cancel);
        Assert.Equal([3, 2, 1], states.Select(state => state.Version));
        Assert.Equal([null, Now + 9, Now + 5], states.Select(state => state.ReplacedMs));
        Assert.Equal([Now + 9, Now + 5, Now], states.Select(state => state.ArrivedMs));
        Assert.Equal(Now, states[0].CreatedMs);
        Assert.True(states[1].IsDeleted);
        Assert.Equal("""{"v":"älter"}""", Text(states[2].Data));
        Assert.Equal((Now, Now), (states[2].EffectiveMs, states[2].PublishedMs));
        Assert.Equal(new ChangeTime(Now - 7, Now - 6, new DeviceId("d9")), states[2].ChangeTime);
        Assert.Equal(merged.Head.Fingerprint, states[2].Fingerprint);
        Assert.Equal([2, 1], (await Store.History(user, Entry("a"), before: 3, 10, Cancel)).Select(state => state.Version));
        Assert.Equal([3], (await Store.History(user, Entry("a"), long.MaxValue, 1, Cancel)).Select(state => state.Version));
    }

    [Fact]
    public async Task What_is_new_and_what_is_not_asked_for_leaves_no_version()
    {
        await Replace(Now, Row(Entry("a"), 1));
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 2)));

        Assert.Empty(await Store.Versions(user, Start, 0, 10, Cancel));
    }

    [Fact]
    public async Task Times_of_arrival_never_go_back_although_the_clock_does()
    {
        await Replace(Now, Row(Entry("a"), 1));
        await Replace(Now - 5_000, Row(Entry("a"), 2), Row(Entry("b"), 3));

        var states = await Store.History(user, Entry("a"), long.MaxValue, 10, Cancel);
        Assert.Equal([(Now, null), (Now, Now)], states.Select(state => (state.ArrivedMs, state.ReplacedMs)));
        Assert.Equal(Now, Assert.Single(await Store.History(user, Entry("b"), long.MaxValue, 10, Cancel)).CreatedMs);
    }

    [Fact]
    public async Task Versions_are_read_from_a_base_up_to_the_present_state_and_within_a_bound()
    {
        for (var i = 1; i <= 5; i++) await Replace(Now, Row(Entry("a"), 2 * i, $"\"{i}\""), Row(Entry("b"), (2 * i) + 1, $"\"{i}\""));

        var wanted = new Dictionary<EntityKey, long> { [Entry("a")] = 6, [Entry("b")] = 11 };
        var states = await Store.VersionsFrom(user, wanted, bytesMax: 1_000, Cancel);
        Assert.Equal([("a", 6L), ("a", 8L), ("a", 10L), ("b", 11L)], states.Select(state => (state.Entity.Id, state.Version)));
        Assert.Equal("\"3\"", Text(states[0].Data));

        var few = await Store.VersionsFrom(user, new Dictionary<EntityKey, long> { [Entry("a")] = 2 }, bytesMax: 7, Cancel);
        Assert.Equal([8L, 10L], few.Select(state => state.Version));
        Assert.Empty(await Store.VersionsFrom(User(), wanted, 1_000, Cancel));
    }

    [Fact]
    public async Task Versions_are_thinned_by_age_and_the_newest_of_each_time_stays()
    {
        const long hours = 3 * 60 * Minute;
        long[] ages = [1, 9 * Minute, 20 * Minute - 1, 20 * Minute, hours - 1, hours, 3 * DayMs - 1, 3 * DayMs, 31 * DayMs];
        const long round = Now - Now % DayMs;
        foreach (var age in ages.Order().Reverse()) await Replace(round - age, Row(Entry("a"), (await HistoryState()).Last.Number + 1));
        await Replace(round, Row(Entry("a"), (await HistoryState()).Last.Number + 1));

        await Store.TrimVersions(user, long.MaxValue, long.MaxValue, round, Cancel);

        var kept = (await Store.Versions(user, Start, 0, 20, Cancel)).Select(state => round - state.ReplacedMs!.Value).ToList();
        Assert.Equal([3 * DayMs - 1, hours - 1, 20 * Minute - 1, 9 * Minute, 1, 0], kept);
        await Store.TrimVersions(user, long.MaxValue, long.MaxValue, round, Cancel);
        Assert.Equal(6, (await Store.Versions(user, Start, 0, 20, Cancel)).Count);
    }

    [Fact]
    public async Task Past_their_bounds_the_oldest_versions_go_of_one_entity_and_of_all()
    {
        var json = $"\"{new string('x', 742)}\"";
        for (var i = 1; i <= 4; i++) await Replace(Now + i, Row(Entry("a"), 2 * i, json), Row(Entry("b"), (2 * i) + 1, json));

        var (kept, isDone) = await Store.TrimVersions(user, entityBytesMax: 2_000, bytesMax: 10_000, Now, Cancel);
        Assert.Equal((new StoredTotals(4, 4 * json.Length), true), (kept, isDone));
        Assert.Equal([("a", 4L), ("a", 6L), ("b", 5L), ("b", 7L)], await Kept());

        await Store.TrimVersions(user, entityBytesMax: 2_000, bytesMax: 3_000, Now, Cancel);
        Assert.Equal([("a", 4L), ("a", 6L), ("b", 7L)], await Kept());
    }

    [Fact]
    public async Task Only_so_many_versions_go_at_once_and_the_next_time_the_rest_goes()
    {
        const int many = Retention.VersionsAtOnceMax + 1;
        for (var round = 0; round < 2; round++)
        {
            var from = (round * many) + 1;
            await Replace(Now + round, [.. Enumerable.Range(0, many).Select(i => Row(Entry($"e{i}"), from + i))]);
        }

        var (kept, isDone) = await Store.TrimVersions(user, entityBytesMax: 0, bytesMax: 0, Now + 2, Cancel);
        Assert.Equal((1, false), (kept.Count, isDone));
        Assert.Equal((default, true), await Store.TrimVersions(user, entityBytesMax: 0, bytesMax: 0, Now + 2, Cancel));
    }

    [Fact]
    public async Task Sweeping_thins_versions_of_users_that_write_no_more()
    {
        for (var i = 1; i <= 3; i++) await Replace(Now + i, Row(Entry("a"), i));
        await Upkeep.Sweep(Now + DayMs / 2, Cancel);
        Assert.Equal([("a", 2L)], await Kept());
        await Upkeep.Sweep(Now + Limits.VersionDays * DayMs + 3, Cancel);
        Assert.Empty(await Kept());
    }

    [Fact]
    public async Task All_versions_are_read_by_key_and_erased_with_the_account()
    {
        for (var i = 1; i <= 3; i++) await Replace(Now + i, Row(Entry("a"), 2 * i), Row(Entry("b"), (2 * i) + 1));

        var first = await Store.Versions(user, Start, 0, 3, Cancel);
        var rest = await Store.Versions(user, first[^1].Entity, first[^1].Version, 3, Cancel);
        Assert.Equal([("a", 2L), ("a", 4L), ("b", 3L), ("b", 5L)], first.Concat(rest).Select(state => (state.Entity.Id, state.Version)));
        Assert.Empty(await Store.Versions(User(), Start, 0, 3, Cancel));

        await Store.Erase(user, Now + 9, Cancel);
        Assert.Empty(await Kept());
    }

    [Fact]
    public async Task What_changed_since_a_time_is_read_by_key()
    {
        await Replace(Now, Row(Entry("a"), 1), Row(Entry("b"), 2), Row(Entry("c"), 3));
        await Replace(Now + 1, Row(Entry("c"), 4), Tombstone(Entry("a"), 5));

        Assert.Equal(["a", "c"], (await Store.ChangedSince(user, Now, Start, 9, Cancel)).Select(state => state.Entity.Id));
        Assert.Equal(["c"], (await Store.ChangedSince(user, Now, Entry("a"), 9, Cancel)).Select(state => state.Entity.Id));
        Assert.Equal(["a"], (await Store.ChangedSince(user, Now, Start, 1, Cancel)).Select(state => state.Entity.Id));
        Assert.Empty(await Store.ChangedSince(user, Now + 1, Start, 9, Cancel));
    }

    [Fact]
    public async Task Members_of_a_conflict_come_back()
    {
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 1, """{"v":1}""")));
        await Hold(Commit(await HistoryState(), Row(Entry("a"), 2)) with
        {
            Replaced = [Replaced(Entry("a"), """{"v":1}""") with { Members = ["/v"] }],
            Losers = [Loser("a", """{"v":2}""") with { Members = ["/a~1b", "/é"] }],
        });

        var kept = await Store.Conflicts(user, null, 10, Cancel);
        Assert.Equal(["/v"], Assert.Single(kept, conflict => conflict.Reason == ConflictId.Replaced).Members);
        Assert.Equal(["/a~1b", "/é"], Assert.Single(kept, conflict => conflict.Reason == ConflictId.Stale).Members);
    }

    private async Task<List<(string, long)>> Kept() =>
        [.. (await Store.Versions(user, Start, 0, 100, Cancel)).Select(state => (state.Entity.Id, state.Version))];

    /// <summary>A commit that keeps what it replaces.</summary>
    private async Task Replace(long nowMs, params NewRow[] rows) =>
        await Hold(Commit(await HistoryState(), rows) with { NowMs = nowMs, Versions = [.. rows.Select(row => row.Entity)] });
}
