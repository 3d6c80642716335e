namespace Mirubato.Grains.Domain;

/// <summary>A judged request. Once the documents it names are read, it says what to store and what to answer.</summary>
internal sealed class Decision(
    UserId user,
    Draft draft,
    IReadOnlyList<ItemDecision> items,
    IReadOnlyCollection<Loser> losers,
    IReadOnlyCollection<ReplacedDocument> replaced)
{
    public Draft Draft => draft;

    public IReadOnlyList<ItemDecision> Items => items;

    public IEnumerable<EntityKey> Entities => draft.Changes.Select(change => change.Entity);

    public IReadOnlyCollection<Loser> Losers => losers;

    public IReadOnlyCollection<ReplacedDocument> Replaced => replaced;

    /// <summary>Edits of an older base that could not be merged, because a version in between is not at hand.</summary>
    public int MergeFallbacks { get; init; }

    /// <summary>Stored documents that are announced again because the request tied with them, in bytes.</summary>
    public long TiedBytes =>
        draft.Changes.Sum(change => change is { Source: null, Before: { IsDeleted: false } before } ? (long)before.Bytes : 0);

    public bool HasConflictOrRefusal =>
        items.Any(i => i.Status is ItemStatus.Conflict or ItemStatus.Refused || i is { Status: ItemStatus.Merged, Members: not null });

    /// <summary>Stored documents that the answer or an announcement needs; each must be of the head this was decided on.</summary>
    public IReadOnlyDictionary<EntityKey, EntityHead> Needed()
    {
        var needed = new Dictionary<EntityKey, EntityHead>();
        var bytes = 0L;
        foreach (var item in items)
        {
            var entity = item.Item.Entity;
            var isWinner = item is { Status: ItemStatus.Conflict, Head: { IsDeleted: false } } && draft.FindChange(entity) is null;
            if (!isWinner || needed.ContainsKey(entity) || bytes + item.Head!.Bytes > Limits.AnswerCopiesBytesMax) continue;
            needed[entity] = item.Head;
            bytes += item.Head.Bytes;
        }

        foreach (var change in draft.Changes)
        {
            if (change is { Source: null, Before: { IsDeleted: false } before }) needed[change.Entity] = before;
        }

        return needed;
    }

    /// <summary>Renders what is to be stored, by revision, and settles the true sizes in the draft.</summary>
    public IReadOnlyList<NewRow> Rows(IReadOnlyDictionary<EntityKey, StoredRow> stored)
    {
        var rows = new List<NewRow>(draft.Changes.Count);
        foreach (var change in draft.Changes)
        {
            var data = RenderData(change, stored);
            draft.Put(change, change.Now with { Bytes = data.Length });
            change.Row = new NewRow(change.Entity, change.Now, data)
            {
                IsNew = change.Before is null or { IsDeleted: true },
                ReplacedBytes = change.Before?.Bytes,
            };
            rows.Add(change.Row);
        }

        return rows;
    }

    private ReadOnlyMemory<byte> RenderData(EntityChange change, IReadOnlyDictionary<EntityKey, StoredRow> stored)
    {
        if (change.Now.IsDeleted) return default;
        var document = change.Source?.Document ?? Stored(change.Entity, stored);
        return document.Render(change.Now.Version, change.Now.PublishedMs);
    }

    private OutgoingDocument Stored(EntityKey entity, IReadOnlyDictionary<EntityKey, StoredRow> stored)
    {
        var data = stored[entity].Data;
        return ItemParser.Read(new Change(entity.Type, entity.Id, new DocumentRange(0, data.Length)), data, user).Document;
    }

    /// <summary>One result per item, in the order of the request. After <see cref="Rows"/>.</summary>
    public IReadOnlyList<ItemResult> Results(IReadOnlyDictionary<EntityKey, StoredRow> stored)
    {
        var copies = new AnswerCopies();
        var results = new List<ItemResult>(items.Count);
        foreach (var item in items) results.Add(copies.Limit(Result(item, stored)));
        return results;
    }

    private ItemResult Result(in ItemDecision item, IReadOnlyDictionary<EntityKey, StoredRow> stored)
    {
        var entity = item.Item.Entity;
        var row = draft.FindChange(entity)?.Row;
        var head = row?.Head ?? item.Head;
        var result = new ItemResult(entity, item.Status, head?.Seq.Number ?? 0, head?.Version ?? 0, head?.PublishedMs ?? 0, item.Refusal)
        {
            Members = item.Members is { } members ? [.. members] : null,
        };
        return item.Status switch
        {
            ItemStatus.Conflict => result with
            {
                Server = head!.IsDeleted
                    ? Tombstone.Render(entity, head.Version, head.PublishedMs)
                    : row?.Data ?? stored.GetValueOrDefault(entity)?.Data ?? default,
            },
            ItemStatus.Merged => result with { Document = row?.Data ?? item.Stored, TookNoRevision = row is null },
            ItemStatus.Created or ItemStatus.Updated when row is not null && Differs(item.Item, row) => result with { Document = row.Data },
            _ => result,
        };
    }

    /// <summary>Whether the sender, left with what it sent, would hold something else than the store.</summary>
    private bool Differs(ParsedItem item, NewRow row) =>
        draft.FindChange(row.Entity)!.Source != item || !item.HasEditClock || item.ClientMs != row.Head.PublishedMs;
}
