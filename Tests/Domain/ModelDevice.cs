using System.Text.Json;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>
/// A device as existing clients are: it takes over what is strictly newer by <c>updatedAt</c>, keeps its own at equal clocks, ignores
/// the answers to its pushes, and pushes its whole store again whenever it starts.
/// </summary>
internal sealed class ModelDevice(ModelServer server, string name, long skewMs)
{
    private sealed record Copy(string Value, long UpdatedAtMs);

    private readonly Dictionary<EntityKey, Copy> copies = [];
    private readonly List<Change> queue = [];
    private long cursor;

    public string Name => name;

    public long SkewMs { get; set; } = skewMs;

    public void Edit(EntityKey entity, string value, long nowMs)
    {
        copies[entity] = new Copy(value, nowMs + SkewMs);
        queue.Add(ModelServer.Edit(entity.Type, entity.Id, value, nowMs + SkewMs));
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
            if (random.Next(2) == 0) server.Push(name, nowMs, default, changes);
            else foreach (var change in changes) server.Push(name, nowMs, default, change);
        }
    }

    /// <summary>The whole-store push at every start. What has been sent before must not beat what is newer.</summary>
    public IReadOnlyList<ItemResult> PushAll(long nowMs) =>
        server.Push(name, nowMs, default, [.. copies.Select(c => ModelServer.Edit(c.Key.Type, c.Key.Id, c.Value.Value, c.Value.UpdatedAtMs))]);

    public void Pull()
    {
        foreach (var row in server.Pull(cursor))
        {
            cursor = row.Seq;
            if (row.DeletedAtMs is not null) copies.Remove(row.Entity);
            else if (!copies.TryGetValue(row.Entity, out var own) || row.UpdatedAtMs > own.UpdatedAtMs) copies[row.Entity] = CopyOf(row);
        }
    }

    public void AssertEqualsTheStore()
    {
        var stored = server.Rows.Values.Where(r => r.DeletedAtMs is null).ToDictionary(r => r.Entity, CopyOf);
        Assert.Equal(stored.OrderBy(s => s.Key.ToString()), copies.OrderBy(c => c.Key.ToString()));
    }

    private static Copy CopyOf(StoredRow row)
    {
        using var document = JsonDocument.Parse(row.Data);
        return new Copy(document.RootElement.GetProperty("title").GetString()!, row.UpdatedAtMs);
    }
}
