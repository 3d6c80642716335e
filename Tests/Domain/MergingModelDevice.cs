using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>
/// A device that merges, as the client of this repository is: edits name the version they were made on, several of them may be under way,
/// and what is unsent is rebased on the answer to what was sent before it.
/// </summary>
internal sealed class MergingModelDevice(IModelServer server, string name, long skewMs)
{
    private sealed record Row(long Version, bool IsDeleted, Dictionary<string, string> Leaves);

    /// <param name="Leaves">The whole document; null deletes it.</param>
    private sealed record Unsent(EntityKey Entity, long? Base, Dictionary<string, string>? Leaves, long ClientMs)
    {
        public Item ToItem() => Leaves is null
            ? ModelServer.Delete(Entity.Type, Entity.Id, ClientMs, Base)
            : ModelDocument.Edit(Entity, Leaves, ClientMs, Base);
    }

    private const int PageRows = 3;

    private readonly Dictionary<EntityKey, Row> rows = [];
    private readonly List<Unsent> queue = [];
    private readonly List<Unsent> sentBefore = [];
    private long cursor;

    public void Step(EntityKey entity, Random random, long nowMs)
    {
        switch (random.Next(12))
        {
            case 0 or 1 or 2 or 3 or 4: Edit(entity, random, nowMs); break;
            case 5: Delete(entity, nowMs, random); break;
            case 6 or 7 or 8: Flush(nowMs, random); break;
            case 9 or 10: Pull(); break;
            default: SendAgain(nowMs, random); break;
        }
    }

    public void Edit(EntityKey entity, Random random, long nowMs)
    {
        var last = queue.LastOrDefault(unsent => unsent.Entity == entity);
        var row = rows.GetValueOrDefault(entity);
        var leaves = new Dictionary<string, string>(
            (last is not null ? last.Leaves : row is { IsDeleted: false } ? row.Leaves : null) ?? []);
        for (var edits = 1 + random.Next(2); edits > 0; edits--)
        {
            var pointer = ModelDocument.Pointers[random.Next(ModelDocument.Pointers.Length)];
            if (last?.Leaves?.GetValueOrDefault(pointer) is { } own) server.ReplacedByOwnDevice(entity, pointer, own);
            if (random.Next(8) == 0 && pointer != ModelDocument.Title) leaves.Remove(pointer);
            else leaves[pointer] = "m" + random.Next(random.Next(2) == 0 ? 3 : 100_000);
        }

        leaves.TryAdd(ModelDocument.Title, "untitled");
        queue.Add(new Unsent(entity, last is not null ? last.Base : row?.Version, leaves, nowMs + skewMs));
    }

    public void Flush(long nowMs, Random random)
    {
        switch (random.Next(5))
        {
            case 0 or 1: SendTogether(nowMs, answered: true); break;
            case 2: SendTogether(nowMs, answered: false); break;
            case 3: SendOneByOne(nowMs); break;
            default: SendInFlight(nowMs); break;
        }
    }

    public void FlushAll(long nowMs) => SendOneByOne(nowMs);

    public void Pull()
    {
        while (server.Pull(cursor, PageRows) is { Count: > 0 } page)
        {
            foreach (var row in page) Hear(row.Entity, row.Version, row.Data, row.DeletedAtMs is not null);
            cursor = page[^1].Seq;
        }
    }

    public void AssertEqualsTheStore()
    {
        Assert.Empty(queue);
        foreach (var stored in server.Everything())
        {
            var row = rows[stored.Entity];
            Assert.Equal((stored.Version, stored.DeletedAtMs is not null), (row.Version, row.IsDeleted));
            Assert.Equal(ModelDocument.Leaves(stored.Data), row.Leaves);
        }
    }

    private void Delete(EntityKey entity, long nowMs, Random random)
    {
        if (rows.GetValueOrDefault(entity) is not { IsDeleted: false } row || random.Next(2) == 0) return;
        foreach (var unsent in queue.Where(unsent => unsent.Entity == entity)) Forget(unsent);
        queue.RemoveAll(unsent => unsent.Entity == entity);
        queue.Add(new Unsent(entity, row.Version, null, nowMs + skewMs));
    }

    private void Forget(Unsent unsent)
    {
        foreach (var (pointer, value) in unsent.Leaves ?? []) server.ReplacedByOwnDevice(unsent.Entity, pointer, value);
    }

    /// <summary>All in one request; if the answer is lost, all of it is sent again later.</summary>
    private void SendTogether(long nowMs, bool answered)
    {
        var results = Push(nowMs, queue);
        if (!answered) return;
        foreach (var (unsent, result) in queue.Zip(results)) Answered(unsent, result);
        queue.Clear();
    }

    /// <summary>Each when the one before it is answered, and rebased on that answer.</summary>
    private void SendOneByOne(long nowMs)
    {
        while (queue.Count > 0)
        {
            var unsent = queue[0];
            queue.RemoveAt(0);
            Answered(unsent, Push(nowMs, [unsent])[0]);
            Rebase(unsent);
        }
    }

    /// <summary>Each in a request of its own, all of them before the first answer.</summary>
    private void SendInFlight(long nowMs)
    {
        var results = queue.Select(unsent => Push(nowMs, [unsent])[0]).ToList();
        foreach (var (unsent, result) in queue.Zip(results)) Answered(unsent, result);
        queue.Clear();
    }

    private void SendAgain(long nowMs, Random random)
    {
        if (sentBefore.Count > 0) Push(nowMs, [sentBefore[random.Next(sentBefore.Count)]]);
    }

    private IReadOnlyList<ItemResult> Push(long nowMs, IReadOnlyList<Unsent> some)
    {
        sentBefore.AddRange(some);
        return server.Push(name, nowMs, [.. some.Select(unsent => unsent.ToItem())], merges: true);
    }

    private void Answered(Unsent sent, ItemResult result)
    {
        if (result.Status is ItemStatus.Conflict or ItemStatus.Merged)
        {
            var data = result.Status is ItemStatus.Merged ? result.Document : result.Server;
            if (!data.IsEmpty) Hear(sent.Entity, result.Version, data, IsTombstone(data));
        }
        else if (result.Status is ItemStatus.Created or ItemStatus.Updated or ItemStatus.Deleted)
        {
            var own = sent.Leaves is null ? default : sent.ToItem().Document;
            Hear(sent.Entity, result.Version, result.Document.IsEmpty ? own : result.Document, sent.Leaves is null);
        }
    }

    private static bool IsTombstone(ReadOnlyMemory<byte> data) => data.Span.IndexOf("\"deletedAt\""u8) >= 0;

    /// <summary>What was written on top of <paramref name="sent"/> is written on top of its outcome instead.</summary>
    private void Rebase(Unsent sent)
    {
        if (sent.Leaves is null || rows.GetValueOrDefault(sent.Entity) is not { IsDeleted: false } row) return;
        var (basis, current) = (sent.Leaves, row.Leaves);
        for (var i = 0; i < queue.Count; i++)
        {
            if (queue[i].Entity != sent.Entity || queue[i].Leaves is not { } leaves) continue;
            var rebased = new Dictionary<string, string>(current);
            foreach (var pointer in ModelDocument.Pointers.Where(p => leaves.GetValueOrDefault(p) != basis.GetValueOrDefault(p)))
            {
                if (leaves.TryGetValue(pointer, out var value)) rebased[pointer] = value;
                else rebased.Remove(pointer);
            }

            (basis, current) = (leaves, rebased);
            queue[i] = queue[i] with { Leaves = rebased, Base = row.Version };
        }
    }

    private void Hear(EntityKey entity, long version, ReadOnlyMemory<byte> data, bool isDeleted)
    {
        if (rows.TryGetValue(entity, out var own) && own.Version > version) return;
        rows[entity] = new Row(version, isDeleted, isDeleted ? [] : ModelDocument.Leaves(data));
    }
}
