using System.Text.Json;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Engine;

/// <summary>What another device replaced is in the feed for its whole time, however many versions have been thinned since.</summary>
public abstract partial class EngineContract
{
    [Fact]
    public async Task A_replaced_document_is_restored_from_the_feed_after_hours_of_thinning()
    {
        var node = Coordinator();
        await node.Write(Push(null, Json("g", "\"a\":1,\"b\":1")), Cancel);
        await Later(node, "d2", Json("g", "\"a\":2,\"b\":2", ms: Clock.NowMs + 1));
        await EditForHours(node);

        var kept = Assert.Single(await Store.Conflicts(User, null, 10, Cancel));
        Assert.Equal((ConflictId.Replaced, null, "1"), (kept.Reason, kept.Members, Member(kept.Document, "b")));
        Assert.Equal(RequestRefusal.None, (await Run(g => g.Restore(new RestoreRequest(Caller(), kept.Id)), node)).Refusal);

        await AssertStored("g", ("a", "1"), ("b", "1"));
        Assert.Empty(await Store.Conflicts(User, null, 10, Cancel));
        await TrimAll();
        Assert.Empty(await Store.Versions(User, Beginning, 0, 10, Cancel));
    }

    [Fact]
    public async Task A_replaced_member_is_restored_alone_after_hours_of_thinning()
    {
        var node = Coordinator();
        var at = await One(node.Write(Push(null, Json("g", "\"a\":1,\"b\":1")), Cancel));
        Clock.Advance(TimeSpan.FromMilliseconds(50));
        await Merge(node, "d2", Json("g", "\"a\":2,\"b\":1", at.Version));
        Clock.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(ItemStatus.Merged, (await One(Merge(node, "d3", Json("g", "\"a\":3,\"b\":1,\"c\":1", at.Version)))).Status);
        await EditForHours(node);

        var kept = Assert.Single(await Store.Conflicts(User, null, 10, Cancel));
        Assert.Equal((ConflictId.Replaced, "/a", "2"), (kept.Reason, Assert.Single(kept.Members!), Member(kept.Document, "a")));
        Assert.Equal(RequestRefusal.None, (await Run(g => g.Restore(new RestoreRequest(Caller(), kept.Id)), node)).Refusal);
        await AssertStored("g", ("a", "2"), ("b", "9"));
    }

    [Fact]
    public async Task What_is_replaced_of_a_type_without_history_is_restored_from_the_feed_alone()
    {
        var node = Coordinator(quotas: new Quotas { TypesWithoutHistory = new HashSet<string> { "goal" } });
        await node.Write(Push(null, Json("g", "\"a\":1")), Cancel);
        await Later(node, "d2", Json("g", "\"a\":2", ms: Clock.NowMs + 1));
        Assert.Empty(await Store.Versions(User, Beginning, 0, 10, Cancel));

        var kept = Assert.Single(await Store.Conflicts(User, null, 10, Cancel));
        Assert.Equal("1", Member(kept.Document, "a"));
        Assert.Equal(RequestRefusal.None, (await Run(g => g.Restore(new RestoreRequest(Caller(), kept.Id)), node)).Refusal);
        await AssertStored("g", ("a", "1"));
    }

    /// <summary>One device's edits of one another, each thinned soon: only what the feed names is left.</summary>
    private async Task EditForHours(Coordinator node)
    {
        for (var i = 0; i < 10; i++)
        {
            var row = Assert.Single(await Store.Rows(User, [new EntityKey("goal", "g")], Cancel));
            var a = Member(row.Data, "a");
            Clock.Advance(TimeSpan.FromMinutes(30));
            Assert.Equal(ItemStatus.Updated, (await One(Merge(node, "d4", Json("g", $"\"a\":{a},\"b\":{i}", row.Version)))).Status);
        }

        await TrimAll();
        Assert.Single(await Store.Versions(User, Beginning, 0, 100, Cancel));
    }

    private async Task TrimAll() => await Store.TrimVersions(User, entityBytesMax: 0, bytesMax: 0, Clock.NowMs, Cancel);

    private static string Member(ReadOnlyMemory<byte> document, string name) =>
        JsonDocument.Parse(document).RootElement.GetProperty(name).GetRawText();
}
