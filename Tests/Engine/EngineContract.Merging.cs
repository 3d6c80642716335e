using System.Text;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Domain;

namespace Mirubato.Tests.Engine;

public abstract partial class EngineContract
{
    [Fact]
    public async Task Edits_of_different_members_on_one_base_are_both_kept_on_whichever_node()
    {
        var (here, there) = (Coordinator(), Coordinator());
        var at = await One(here.Write(Push(null, Json("g", "\"a\":1,\"b\":1")), Cancel));
        Assert.Equal(ItemStatus.Updated, (await One(Merge(there, "d2", Json("g", "\"a\":2,\"b\":1", at.Version)))).Status);

        var merged = await One(Merge(here, "d3", Json("g", "\"a\":1,\"b\":3", at.Version)));

        Assert.Equal((ItemStatus.Merged, 3L), (merged.Status, merged.Seq));
        Assert.Null(merged.Members);
        await AssertStored("g", ("a", "2"), ("b", "3"));
        Assert.Equal(Text(merged.Document), Text(Assert.Single(await Everything()).Data));
        Assert.Empty(await Store.Conflicts(User, null, 10, Cancel));
    }

    [Fact]
    public async Task Two_devices_that_edited_different_members_of_fifty_documents_offline_lose_nothing_and_leave_no_row()
    {
        var node = Coordinator();
        var random = new Random(14);
        var documents = Enumerable.Range(0, 50).ToDictionary(i => $"g{i}", _ => Enumerable.Range(0, 8).ToDictionary(m => m, _ => 0));
        var created = await node.Write(Push(null, [.. documents.Select(d => Json(d.Key, Members(d.Value)))]), Cancel);
        var bases = created.Items!.ToDictionary(item => item.Entity.Id, item => item.Version);
        var outcome = documents.ToDictionary(d => d.Key, d => new Dictionary<int, int>(d.Value));
        foreach (var (device, first) in new[] { ("laptop", 0), ("phone", 4) })
        {
            var own = documents.ToDictionary(d => d.Key, d => new Dictionary<int, int>(d.Value));
            var queue = new List<Item>();
            for (var edit = 1; edit <= 100; edit++)
            {
                Clock.Advance(TimeSpan.FromMilliseconds(random.Next(3)));
                var (id, member) = ($"g{random.Next(50)}", first + random.Next(4));
                own[id][member] = outcome[id][member] = edit;
                queue.Add(Json(id, Members(own[id]), bases[id]));
            }

            Assert.All((await Merge(node, device, [.. queue])).Items!, item => Assert.NotEqual(ItemStatus.Conflict, item.Status));
        }

        foreach (var (id, members) in outcome) await AssertStored(id, [.. members.Select(m => ($"m{m.Key}", $"{m.Value}"))]);
        Assert.Empty(await Store.Conflicts(User, null, 10, Cancel));

        static string Members(Dictionary<int, int> values) => string.Join(',', values.Select(m => $"\"m{m.Key}\":{m.Value}"));
    }

    [Fact]
    public async Task A_request_without_the_merge_header_is_decided_on_whole_documents()
    {
        var node = Coordinator();
        var at = await One(node.Write(Push(null, Json("g", "\"a\":1,\"b\":1")), Cancel));
        await Merge(node, "d2", Json("g", "\"a\":2,\"b\":1", at.Version));

        var token = (await Store.HistoryState(User, null, Clock.NowMs, Cancel)).Token;
        var request = Item.Request(Caller("d3"), WriteScope.Push, null, token, [Json("g", "\"a\":1,\"b\":3", at.Version, ms: 1)]);
        Assert.Equal(ItemStatus.Conflict, (await One(node.Write(request, Cancel))).Status);
        await AssertStored("g", ("a", "2"), ("b", "1"));
    }

    [Fact]
    public async Task A_member_that_lost_is_named_kept_and_restored_alone()
    {
        var node = Coordinator();
        var at = await One(node.Write(Push(null, Json("g", "\"a\":1,\"b\":1,\"c\":1")), Cancel));
        Clock.Advance(TimeSpan.FromMilliseconds(50));
        await Merge(node, "d2", Json("g", "\"a\":2,\"b\":1,\"c\":1", at.Version));
        var merged = await One(Merge(node, "d3", Json("g", "\"a\":3,\"b\":3,\"c\":1", at.Version, ms: Clock.NowMs - 20)));
        Assert.Equal(["/a"], merged.Members);
        await Merge(node, "d2", Json("g", "\"a\":2,\"b\":3,\"c\":4", merged.Version));

        var kept = Assert.Single(await Store.Conflicts(User, null, 10, Cancel));
        Assert.Equal((ConflictId.Stale, "/a"), (kept.Reason, Assert.Single(kept.Members!)));
        Assert.Equal(RequestRefusal.None, (await Run(g => g.Restore(new RestoreRequest(Caller(), kept.Id)), node)).Refusal);

        await AssertStored("g", ("a", "3"), ("b", "3"), ("c", "4"));
        Assert.Empty(await Store.Conflicts(User, null, 10, Cancel));
    }

    [Fact]
    public async Task Strict_fails_if_any_member_is_lost_and_stores_nothing()
    {
        var node = Coordinator();
        var at = await One(node.Write(Push(null, Json("g", "\"a\":1,\"b\":1")), Cancel));
        Clock.Advance(TimeSpan.FromMilliseconds(50));
        await Merge(node, "d2", Json("g", "\"a\":2,\"b\":1", at.Version));

        var strict = await node.Write(
            await Merging("d3", Json("g", "\"a\":3,\"b\":3", at.Version, ms: Clock.NowMs - 20)) with { Strict = true }, Cancel);
        Assert.Equal(409, strict.Status);
        await AssertStored("g", ("a", "2"), ("b", "1"));
        Assert.Empty(await Store.Conflicts(User, null, 10, Cancel));

        var passes = await node.Write(await Merging("d3", Json("g", "\"a\":1,\"b\":3", at.Version)) with { Strict = true }, Cancel);
        Assert.Equal(200, passes.Status);
    }

    [Fact]
    public async Task Where_a_version_in_between_is_no_longer_kept_the_later_edit_wins_as_a_whole()
    {
        var node = Coordinator();
        var at = await One(node.Write(Push(null, Json("g", "\"a\":1,\"b\":1")), Cancel));
        for (var i = 2; i < 5; i++)
        {
            Clock.Advance(TimeSpan.FromMilliseconds(1));
            await Merge(node, "d2", Json("g", $"\"a\":{i},\"b\":1", at.Version + i - 2));
        }

        Clock.Advance(TimeSpan.FromHours(2));
        await Store.TrimVersions(User, long.MaxValue, long.MaxValue, Clock.NowMs, Cancel);
        Assert.Equal(ItemStatus.Updated, (await One(Merge(node, "d3", Json("g", "\"a\":1,\"b\":3", at.Version)))).Status);
        await AssertStored("g", ("a", "1"), ("b", "3"));
        Assert.Equal(ConflictId.Replaced, Assert.Single(await Store.Conflicts(User, null, 10, Cancel)).Reason);
    }

    [Fact]
    public async Task A_type_may_be_left_out_of_merging_and_of_history()
    {
        var node = Coordinator(quotas: new Quotas { TypesWithoutMerge = new HashSet<string> { "goal" } });
        var at = await One(node.Write(Push(null, Json("g", "\"a\":1,\"b\":1")), Cancel));
        await Merge(node, "d2", Json("g", "\"a\":2,\"b\":1", at.Version));
        Assert.Equal(ItemStatus.Conflict, (await One(Merge(node, "d3", Json("g", "\"a\":1,\"b\":3", at.Version, ms: 1)))).Status);
        Assert.Single(await Store.Versions(User, new EntityKey("", ""), 0, 10, Cancel));

        var other = Coordinator(quotas: new Quotas { TypesWithoutHistory = new HashSet<string> { "goal" } });
        await Merge(other, "d2", Json("g", "\"a\":9,\"b\":1", at.Version + 1));
        Assert.Single(await Store.Versions(User, new EntityKey("", ""), 0, 10, Cancel));
    }

    [Fact]
    public async Task An_edit_that_ties_with_more_versions_than_are_looked_at_is_not_merged()
    {
        var node = Coordinator();
        var at = await One(node.Write(Push(null, Json("g", "\"a\":0,\"b\":1")), Cancel));
        for (var i = 1; i <= Limits.MergeVersionsMax; i++)
            await Merge(node, "d2", Json("g", $"\"a\":{i},\"b\":1", at.Version + i - 1));

        Assert.Equal(ItemStatus.Merged, (await One(Merge(node, "d3", Json("g", "\"a\":0,\"b\":3", at.Version)))).Status);
        Assert.NotEqual(ItemStatus.Merged, (await One(Merge(node, "d4", Json("g", "\"a\":0,\"b\":4", at.Version)))).Status);
    }

    [Fact]
    public async Task An_hour_of_autosave_stays_within_its_bound_and_leaves_the_history_of_others_alone()
    {
        const long bound = 1024 * 1024;
        var node = Coordinator(quotas: new Quotas { EntityVersionBytesMax = bound });
        await node.Write(Push(null, Json("other", "\"a\":1")), Cancel);
        await node.Write(Push(null, Json("other", "\"a\":2", ms: Clock.NowMs + 1)), Cancel);
        var text = new string('x', 50_000);
        for (var second = 0; second < 300; second++)
        {
            Clock.Advance(TimeSpan.FromSeconds(12));
            await node.Write(Push(null, Json("g", $"\"a\":{second},\"text\":\"{text}\"")), Cancel);
        }

        await Store.TrimVersions(User, bound, long.MaxValue, Clock.NowMs, Cancel);
        var kept = await Store.Versions(User, new EntityKey("", ""), 0, 1_000, Cancel);
        Assert.InRange(kept.Where(state => state.Entity.Id == "g").Sum(state => state.Data.Length), 1, bound);
        Assert.Single(kept, state => state.Entity.Id == "other");
    }

    private protected async Task<WriteRequest> Merging(string? device, params Item[] items)
    {
        var token = (await Store.HistoryState(User, null, Clock.NowMs, Cancel)).Token;
        return Item.Request(Caller(device), WriteScope.Push, null, token, items) with { Merges = true };
    }

    private protected async ValueTask<WriteAnswer> Merge(Coordinator node, string? device, params Item[] items) =>
        await node.Write(await Merging(device, items), Cancel);

    /// <summary>A goal with these members, on a base if one is named.</summary>
    private protected Item Json(string id, string members, long? baseVersion = null, long? ms = null) => new(
        "goal", id, Encoding.UTF8.GetBytes($"{{\"id\":\"{id}\",{members},\"updatedAt\":{ms ?? Clock.NowMs}}}"), BaseVersion: baseVersion);

    private protected async Task AssertStored(string id, params (string Name, string Value)[] members)
    {
        var row = Assert.Single(await Store.Rows(User, [new EntityKey("goal", id)], Cancel));
        var document = System.Text.Json.JsonDocument.Parse(row.Data).RootElement;
        Assert.Equal(members, members.Select(m => (m.Name, document.GetProperty(m.Name).GetRawText())));
    }

    private protected static string Text(ReadOnlyMemory<byte> data) => Encoding.UTF8.GetString(data.Span);

    private static async Task<T> Run<T>(Func<ISyncCoordinatorGrain, Task<Reply<T>>> call, Coordinator on) =>
        (await call(on.Grain)).ValueOrThrow();
}
