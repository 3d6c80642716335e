using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Domain;

namespace Mirubato.Tests.Engine;

public abstract partial class EngineContract
{
    private static readonly EntityKey Beginning = new("", "");

    [Fact]
    public async Task A_version_is_restored_as_a_new_change_also_of_what_is_deleted()
    {
        var node = Coordinator();
        var first = await One(node.Write(Push(null, Json("g", "\"a\":1")), Cancel));
        await Later(node, "d1", Json("g", "\"a\":2"));
        await Later(node, "d1", ModelServer.Delete("goal", "g", Clock.NowMs + 1));
        Assert.Equal(RequestRefusal.NotFound, (await RestoreVersion(node, "g", 3)).Refusal);
        Assert.Equal(RequestRefusal.NotFound, (await RestoreVersion(node, "g", 9)).Refusal);
        Assert.Equal(RequestRefusal.NotFound, (await RestoreVersion(node, "none", 1)).Refusal);

        Assert.Equal(ItemStatus.Created, Assert.Single((await RestoreVersion(node, "g", first.Version)).Items!).Status);
        await AssertStored("g", ("a", "1"));
        Assert.Empty(await Store.Conflicts(User, null, 10, Cancel));
    }

    [Fact]
    public async Task Rewinding_to_a_time_brings_back_how_everything_stood()
    {
        var node = Coordinator();
        await node.Write(Push(null, Json("edited", "\"a\":1"), Json("gone", "\"a\":1"), Json("same", "\"a\":1")), Cancel);
        await Later(node, "d1", ModelServer.Delete("goal", "back", Clock.NowMs));
        var to = Clock.NowMs;
        await Later(node, "d2", Json("edited", "\"a\":2"), Json("new", "\"a\":1"), ModelServer.Delete("goal", "gone", Clock.NowMs + 1));
        await Later(node, "d1", Json("edited", "\"a\":3"));
        await Later(node, "d1", Json("same", "\"a\":2"));
        await Later(node, "d1", Json("same", "\"a\":1"));

        var dry = await Rewind(node, to, dryRun: true);
        Assert.Equal(["edited Changed", "gone Restored", "new Deleted"], Actions(dry));
        await AssertStored("edited", ("a", "3"));

        Assert.Equal(["edited Changed", "gone Restored", "new Deleted"], Actions(await Rewind(node, to)));
        await AssertStored("edited", ("a", "1"));
        await AssertStored("gone", ("a", "1"));
        Assert.NotNull(Assert.Single(await Store.Rows(User, [new EntityKey("goal", "new")], Cancel)).DeletedAtMs);
        Assert.Empty((await Rewind(node, to)).Items);
    }

    [Fact]
    public async Task A_bad_import_with_old_clocks_is_taken_back_by_when_it_arrived()
    {
        var node = Coordinator();
        await node.Write(Push(null, Json("g", "\"a\":1", ms: 5)), Cancel);
        var to = Clock.NowMs;
        await Later(node, "d1", Json("g", "\"a\":2", ms: 6), Json("h", "\"a\":2", ms: 1));
        await Rewind(node, to);
        await AssertStored("g", ("a", "1"));
        Assert.NotNull(Assert.Single(await Store.Rows(User, [new EntityKey("goal", "h")], Cancel)).DeletedAtMs);
    }

    [Fact]
    public async Task Rewinding_a_device_undoes_its_edits_and_keeps_those_of_others_and_twice_changes_nothing()
    {
        var node = Coordinator();
        await node.Write(Push(null, Json("g", "\"a\":1,\"b\":1,\"c\":1")), Cancel);
        var to = Clock.NowMs;
        await Later(node, "bad", Json("g", "\"a\":2,\"b\":1,\"c\":1", 1));
        await Later(node, "good", Json("g", "\"a\":2,\"b\":2,\"c\":1", 2));
        await Later(node, "bad", Json("g", "\"a\":3,\"b\":2,\"c\":3", 3));
        await Later(node, "good", Json("g", "\"a\":3,\"b\":2,\"c\":4", 4));

        Assert.Equal(["g Changed"], Actions(await Rewind(node, to, "bad")));
        await AssertStored("g", ("a", "1"), ("b", "2"), ("c", "4"));
        var head = (await Store.HistoryState(User, null, Clock.NowMs, Cancel)).Last;
        Assert.Empty((await Rewind(node, to, "bad")).Items);
        Assert.Equal(head, (await Store.HistoryState(User, null, Clock.NowMs, Cancel)).Last);
        Assert.Null(Assert.Single(await Store.History(User, new EntityKey("goal", "g"), long.MaxValue, 1, Cancel)).ChangeTime.Device);
    }

    [Fact]
    public async Task What_a_device_created_goes_only_if_nobody_else_touched_it_and_what_it_deleted_comes_back()
    {
        var node = Coordinator();
        await node.Write(Push(null, Json("deleted", "\"a\":1"), Json("again", "\"a\":1")), Cancel);
        var to = Clock.NowMs;
        await Later(node, "bad", Json("own", "\"a\":1"), Json("shared", "\"a\":1"));
        var at = Clock.NowMs + 1;
        await Later(node, "bad", ModelServer.Delete("goal", "deleted", at), ModelServer.Delete("goal", "again", at));
        await Later(node, "good", Json("shared", "\"a\":2"));
        await Later(node, "good", Json("again", "\"a\":7", baseVersion: 3));

        Assert.Equal(["deleted Restored", "own Deleted"], Actions(await Rewind(node, to, "bad")));
        await AssertStored("shared", ("a", "2"));
        await AssertStored("again", ("a", "7"));
        await AssertStored("deleted", ("a", "1"));
        Assert.Empty((await Rewind(node, to, "bad")).Items);
    }

    [Fact]
    public async Task What_is_no_longer_known_is_left_alone()
    {
        var node = Coordinator();
        await node.Write(Push(null, Json("g", "\"a\":1")), Cancel);
        var to = Clock.NowMs;
        // On the version that it names: so the feed does not keep that one.
        await Later(node, "bad", Json("g", "\"a\":2", baseVersion: 1));
        await Later(node, "bad", Json("g", "\"a\":3", baseVersion: 2));
        Clock.Advance(TimeSpan.FromHours(2));
        await Store.TrimVersions(User, long.MaxValue, long.MaxValue, Clock.NowMs, Cancel);

        Assert.Equal(["g Unknown"], Actions(await Rewind(node, to)));
        Assert.Equal(["g Unknown"], Actions(await Rewind(node, to, "bad")));
        await AssertStored("g", ("a", "3"));
    }

    [Fact]
    public async Task A_rewind_looks_at_so_many_entities_and_goes_on_behind_them()
    {
        var node = Coordinator();
        await node.Write(Push(null, [.. Enumerable.Range(0, 30).Select(i => Json($"g{i:d4}", "\"a\":1"))]), Cancel);
        var to = Clock.NowMs;
        Clock.Advance(TimeSpan.FromSeconds(1));
        var count = Limits.RewindEntitiesMax + 1;
        await node.Write(PushBy("bad", null, [.. Enumerable.Range(0, count).Select(i => Json($"g{i:d4}", "\"a\":2"))]), Cancel);
        await Later(node, "d1", ModelServer.Edit("annotation", "x", "v", Clock.NowMs));

        var first = await Rewind(node, to, "bad");
        Assert.Equal(new EntityKey("goal", $"g{Limits.RewindEntitiesMax - 2:d4}"), first.Next);
        var second = await Rewind(node, to, "bad", after: first.Next);
        Assert.Null(second.Next);
        Assert.Equal(count, first.Items.Count + second.Items.Count);
        Assert.Equal(30, first.Items.Count(item => item.Action is RewindAction.Changed));
        Assert.Equal(count - 30, first.Items.Concat(second.Items).Count(item => item.Action is RewindAction.Deleted));
        Assert.Equal(["x Deleted"], Actions(await Rewind(node, to, types: ["annotation"])));
    }

    [Fact]
    public async Task Edits_made_while_a_rewind_runs_are_kept()
    {
        var (here, there) = (Coordinator(), Coordinator());
        await here.Write(Push(null, [.. Enumerable.Range(0, 40).Select(i => Json($"g{i:d2}", "\"a\":1,\"b\":1"))]), Cancel);
        var to = Clock.NowMs;
        Clock.Advance(TimeSpan.FromSeconds(1));
        await here.Write(PushBy("bad", null, [.. Enumerable.Range(0, 40).Select(i => Json($"g{i:d2}", "\"a\":2,\"b\":1"))]), Cancel);

        var edits = Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++)
            {
                var row = Assert.Single(await Store.Rows(User, [new EntityKey("goal", $"g{i:d2}")], Cancel));
                var a = System.Text.Json.JsonDocument.Parse(row.Data).RootElement.GetProperty("a").GetRawText();
                await Retried(async () => await Merge(there, "good", Json($"g{i:d2}", $"\"a\":{a},\"b\":2", row.Version)));
            }
        });
        await Retried(() => Rewind(here, to, "bad"));
        await edits;
        await Rewind(here, to, "bad");

        for (var i = 0; i < 40; i++) await AssertStored($"g{i:d2}", ("a", "1"), ("b", "2"));
    }

    /// <summary>As a client does. Of two coordinators of one user the slower may lose each of its tries to the other.</summary>
    private static async Task Retried(Func<Task> call)
    {
        while (true)
        {
            try
            {
                await call();
                return;
            }
            catch (StoreUnavailableException busy) when (busy is { Reason: "contention", OutcomeUnknown: false })
            {
                await Task.Yield();
            }
        }
    }

    private async Task Later(Coordinator node, string device, params Item[] items)
    {
        Clock.Advance(TimeSpan.FromSeconds(1));
        var token = (await Store.HistoryState(User, null, Clock.NowMs, Cancel)).Token;
        await node.Write(Item.Request(Caller(device), WriteScope.Push, null, token, items), Cancel);
    }

    private Task<WriteAnswer> RestoreVersion(Coordinator node, string id, long version) =>
        Run(grain => grain.RestoreVersion(new RestoreVersionRequest(Caller(), new EntityKey("goal", id), version)), node);

    private Task<RewindReport> Rewind(
        Coordinator node, long to, string? device = null, bool dryRun = false, string[]? types = null, EntityKey? after = null)
    {
        Clock.Advance(TimeSpan.FromSeconds(1));
        var of = device is null ? (DeviceId?)null : new DeviceId(device);
        return Run(grain => grain.Rewind(new RewindRequest(Caller(), to, of, types, dryRun, after ?? Beginning)), node);
    }

    private static IEnumerable<string> Actions(RewindReport report) =>
        report.Items.Select(item => $"{item.Entity.Id} {item.Action}").Order(StringComparer.Ordinal);
}
