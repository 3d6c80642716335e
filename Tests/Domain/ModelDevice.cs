using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>
/// A device as existing clients are: it takes over what is strictly newer by <c>updatedAt</c>, keeps its own at equal clocks, drops what
/// it is told is deleted, and pushes its whole store again whenever it starts. Of an answer it takes the winning copies, as a socket sends
/// them.
/// </summary>
internal sealed class ModelDevice(IModelServer server, string name, long skewMs)
{
    /// <param name="Rest">What the device does not know of the document, and keeps.</param>
    private sealed record Copy(string Value, long UpdatedAtMs, string Rest = "");

    private const int PageRows = 3;

    private readonly Dictionary<EntityKey, Copy> copies = [];
    private readonly List<Item> queue = [];
    private readonly HashSet<EntityKey> alike = [];
    private long cursor;

    public string Name => name;

    public long SkewMs { get; set; } = skewMs;

    public void Edit(EntityKey entity, string value, long nowMs)
    {
        var rest = copies.GetValueOrDefault(entity)?.Rest ?? "";
        copies[entity] = new Copy(value, nowMs + SkewMs, rest);
        queue.Add(ModelServer.Edit(entity.Type, entity.Id, value, nowMs + SkewMs, rest: rest));
    }

    public void Delete(EntityKey entity, long nowMs)
    {
        if (!copies.Remove(entity)) return;
        queue.Add(ModelServer.Delete(entity.Type, entity.Id, nowMs + SkewMs));
    }

    /// <summary>Sends what waits, in order or newest first, once or twice, in one request or one by one.</summary>
    public void Flush(long nowMs, Random random)
    {
        var changes = random.Next(4) == 0 ? Enumerable.Reverse(queue).ToList() : [.. queue];
        var times = random.Next(3) == 0 ? 2 : 1;
        queue.Clear();
        for (var i = 0; i < times; i++)
        {
            if (random.Next(2) == 0) Push(nowMs, changes);
            else foreach (var change in changes) Push(nowMs, [change]);
        }
    }

    /// <summary>The whole-store push at every start. What was sent or received before must not beat anything.</summary>
    public void PushAll(long nowMs)
    {
        var heads = copies.Keys.ToDictionary(k => k, server.Head);
        var unsent = queue.Select(c => c.Id!).ToHashSet();
        var changes = copies
            .Select(c => ModelServer.Edit(c.Key.Type, c.Key.Id, c.Value.Value, c.Value.UpdatedAtMs, rest: c.Value.Rest))
            .ToList();
        foreach (var result in Push(nowMs, changes))
        {
            if (unsent.Contains(result.Entity.Id) || result.Status is not (ItemStatus.Created or ItemStatus.Updated)) continue;
            // Echoes are bounded: after eight revisions from fast clocks the oldest is forgotten, and its copy may win into the feed.
            if (heads[result.Entity]?.Echoes.Count == Limits.EchoesMax) continue;
            // Written alike by two devices with fast clocks: the second clock was never stored, so it cannot be known again.
            if (alike.Contains(result.Entity)) continue;
            var now = server.Head(result.Entity);
            Assert.True(now!.Fingerprint == heads[result.Entity]?.Fingerprint, $"a stale copy of {result.Entity} beat what was newer");
        }
    }

    public void Pull()
    {
        while (server.Pull(cursor, PageRows) is { Count: > 0 } page)
        {
            foreach (var row in page) Hear(row);
            cursor = page[^1].Seq;
        }
    }

    private IReadOnlyList<ItemResult> Push(long nowMs, IReadOnlyList<Item> changes)
    {
        var results = server.Push(name, nowMs, changes);
        foreach (var result in results)
        {
            if (result.Status is ItemStatus.Unchanged
                && copies.TryGetValue(result.Entity, out var own)
                && own.UpdatedAtMs != result.UpdatedAtMs)
            {
                alike.Add(result.Entity);
            }
            if (result.Status is ItemStatus.Conflict || !result.Document.IsEmpty) Hear(server.Row(result.Entity));
        }

        return results;
    }

    private void Hear(StoredRow row)
    {
        if (row.DeletedAtMs is not null) copies.Remove(row.Entity);
        else if (!copies.TryGetValue(row.Entity, out var own) || row.UpdatedAtMs > own.UpdatedAtMs) copies[row.Entity] = CopyOf(row);
    }

    /// <summary>
    /// The same documents; of one that two devices wrote alike, the clock may be the earlier one, so that any news still beats it.
    /// </summary>
    public void AssertEqualsTheStore()
    {
        var stored = server.Everything().Where(r => r.DeletedAtMs is null).ToDictionary(r => r.Entity, CopyOf);
        Assert.Equal(Sorted(stored), Sorted(copies));
        Assert.All(copies, c => Assert.True(c.Value.UpdatedAtMs <= stored[c.Key].UpdatedAtMs));
    }

    private static IEnumerable<string> Sorted(Dictionary<EntityKey, Copy> documents) =>
        documents.Select(d => $"{d.Key} = {d.Value.Value}{d.Value.Rest}").Order(StringComparer.Ordinal);

    private static Copy CopyOf(StoredRow row)
    {
        var leaves = ModelDocument.Leaves(row.Data);
        return new Copy(leaves.GetValueOrDefault(ModelDocument.Title) ?? "", row.UpdatedAtMs, ModelDocument.Rest(leaves));
    }
}
