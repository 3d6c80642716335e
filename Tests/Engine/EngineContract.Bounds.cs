using System.Text.Json;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Domain;

namespace Mirubato.Tests.Engine;

/// <summary>What one request may cost in bytes.</summary>
public abstract partial class EngineContract
{
    private const int Documents = 20;

    [Fact]
    public async Task An_answer_holds_each_winner_once_and_no_more_than_it_has_room_for()
    {
        var node = Coordinator();
        for (var i = 0; i < Documents; i++) await node.Write(Push(null, Large($"g{i}", Clock.NowMs)), Cancel);
        var token = (await node.HistoryState(Caller(), Cancel)).Token;
        var stale = Enumerable.Range(0, 400).Select(i => Goal($"g{i % Documents}", $"old {i}", Clock.NowMs - 1_000)).ToArray();

        var answer = await node.Write(PushBy("d2", null, stale) with { Cursor = token }, Cancel);

        Assert.InRange(answer.Body.Length, Limits.AnswerCopiesBytesMax / 2, Limits.AnswerBytesMax);
        using var body = JsonDocument.Parse(answer.Body);
        var conflicts = body.RootElement.GetProperty("conflicts").EnumerateArray().ToList();
        Assert.Equal(400, conflicts.Count);
        var copied = conflicts.Where(conflict => conflict.TryGetProperty("server", out _))
            .Select(conflict => conflict.GetProperty("entityId").GetString())
            .ToList();
        Assert.InRange(copied.Count, 1, Limits.AnswerCopiesBytesMax / (249 * 1024));
        Assert.Equal(copied.Count, copied.Distinct().Count());
        Assert.Equal(token.ToString(), body.RootElement.GetProperty("syncToken").GetString());
    }

    [Fact]
    public async Task A_batch_gets_as_many_changes_as_its_answer_can_hold_and_the_rest_with_the_next_request()
    {
        var node = Coordinator();
        var token = (await node.HistoryState(Caller(), Cancel)).Token;
        for (var i = 0; i < Documents; i++) await node.Write(PushBy("d2", null, Large($"g{i}", Clock.NowMs)), Cancel);
        var told = 0;
        for (var more = true; more;)
        {
            var answer = await node.Write(Batch(token), Cancel);
            Assert.InRange(answer.Body.Length, 1, Limits.AnswerBytesMax);
            using var body = JsonDocument.Parse(answer.Body);
            told += body.RootElement.GetProperty("changes").GetProperty("goals").GetArrayLength();
            token = SyncToken.Parse(body.RootElement.GetProperty("newSyncToken").GetString());
            more = body.RootElement.GetProperty("hasMore").GetBoolean();
        }

        Assert.Equal(Documents, told);
    }

    [Theory]
    [InlineData(Limits.RefusalsListedMax, null)]
    [InlineData(Limits.PushItemsMax, Limits.PushItemsMax - Limits.RefusalsListedMax)]
    public async Task Refused_items_are_listed_up_to_a_bound_and_then_counted(int items, int? notListed)
    {
        var refused = Enumerable.Repeat(new Item("goal", null, "{}"u8.ToArray()), items).ToArray();

        var answer = await Coordinator().Write(Push(null, refused), Cancel);

        using var body = JsonDocument.Parse(answer.Body);
        Assert.Equal(Math.Min(items, Limits.RefusalsListedMax), body.RootElement.GetProperty("results").GetArrayLength());
        Assert.Equal(Math.Min(items, Limits.RefusalsListedMax), body.RootElement.GetProperty("conflicts").GetArrayLength());
        Assert.Equal(notListed, body.RootElement.TryGetProperty("notListed", out var count) ? count.GetInt32() : null);
    }

    [Fact]
    public async Task Results_with_the_longest_ids_stay_within_the_answer()
    {
        var ids = Enumerable.Range(0, 10_000).Select(
            i => new string('"', UsableId.UnitsMax - 5) + i.ToString("D5", System.Globalization.CultureInfo.InvariantCulture));
        var items = ids.Select(
            id => new Item("goal", null, JsonSerializer.SerializeToUtf8Bytes(new { id, updatedAt = Clock.NowMs }))).ToArray();

        var answer = await Coordinator().Write(Push(null, items), Cancel);

        Assert.InRange(answer.Body.Length, 1, Limits.AnswerResultsBytesMax + 1_024);
        using var body = JsonDocument.Parse(answer.Body);
        Assert.Equal(
            items.Length, body.RootElement.GetProperty("results").GetArrayLength() + body.RootElement.GetProperty("notListed").GetInt32());
    }

    [Fact]
    public async Task A_new_entity_type_past_the_quota_is_refused_until_another_one_is_empty()
    {
        var node = Coordinator();
        var types = Enumerable.Range(0, Limits.TypesMax).Select(i => ModelServer.Edit($"type_{i}", "x", "v", Clock.NowMs)).ToArray();
        Assert.All((await node.Write(Push(null, types), Cancel)).Items!, item => Assert.Equal(ItemStatus.Created, item.Status));

        var another = ModelServer.Edit("one_more", "x", "v", Clock.NowMs);
        Assert.Equal(ItemRefusal.Quota, (await One(node.Write(Push(null, another), Cancel))).Refusal);
        Assert.Equal(
            ItemStatus.Created, (await One(node.Write(Push(null, ModelServer.Edit("type_0", "y", "v", Clock.NowMs)), Cancel))).Status);

        await node.Write(Push(null, ModelServer.Delete("type_1", "x", Clock.NowMs + 1)), Cancel);
        Assert.Equal(ItemStatus.Created, (await One(node.Write(Push(null, another), Cancel))).Status);
        var counts = (await node.Status(Caller(), Cancel)).LiveEntities;
        Assert.Equal(Limits.TypesMax, counts.Count);
        Assert.DoesNotContain("type_1", counts.Keys);
    }

    private static Item Large(string id, long atMs) =>
        ModelServer.Edit("goal", id, new string('x', 249 * 1024), atMs);
}
