namespace Mirubato.Grains.Domain;

/// <summary>What a decision is made under, beside the heads.</summary>
/// <param name="NowMs">The server's clock, once per request.</param>
/// <param name="BaseCounts">The request came under a cursor of the current epoch.</param>
/// <param name="OnTopOfAnything">A restore: the writer has seen the present state, whatever its version.</param>
/// <param name="RevivesDeleted">An import: the writer has seen each tombstone, and nothing else.</param>
/// <param name="Merges">
/// What is at hand of the entities whose older versions a merging request names as bases; null: the request does not merge.
/// </param>
internal readonly record struct DecisionTerms(
    UserId User, long NowMs, DeviceId? Device, bool BaseCounts, Quotas Quotas, bool OnTopOfAnything = false, bool RevivesDeleted = false,
    IReadOnlyDictionary<EntityKey, MergeHistory>? Merges = null);

/// <summary>What became of one item, before documents are filled in.</summary>
/// <param name="Head">The entity's state when it was judged; null when nothing is stored of it.</param>
internal readonly record struct ItemDecision(
    ParsedItem Item, ItemStatus Status, EntityHead? Head = null, ItemRefusal Refusal = ItemRefusal.None)
{
    /// <summary>Unchanged because the same action came by another path before.</summary>
    public bool IsTwin { get; init; }

    /// <summary>JSON pointers of the members that lost to others; null: none, or the whole document.</summary>
    public IReadOnlyList<string>? Members { get; init; }

    /// <summary>The stored document, where a merge found nothing new in the item.</summary>
    public ReadOnlyMemory<byte> Stored { get; init; }
}

/// <summary>
/// Decides one request, item by item, over heads that stay as they are. No await, clock, SQL or randomness: the same request over the same
/// heads at the same time is the same decision.
/// </summary>
internal sealed partial class Deciding(IHeads under, DecisionTerms terms)
{
    private readonly Draft draft = new(under);
    private readonly List<ItemDecision> items = [];
    private readonly Dictionary<string, Loser> losers = [];
    private readonly Dictionary<string, ReplacedDocument> replaced = [];

    public static Decision Decide(IHeads under, DecisionTerms terms, IEnumerable<ParsedItem> incoming)
    {
        var deciding = new Deciding(under, terms);
        if (incoming.TryGetNonEnumeratedCount(out var count)) deciding.items.EnsureCapacity(count);
        foreach (var item in incoming) deciding.items.Add(deciding.Judge(item));
        return new Decision(terms.User, deciding.draft, deciding.items, deciding.losers.Values, deciding.replaced.Values)
        {
            MergeFallbacks = deciding.mergeFallbacks,
        };
    }

    private ItemDecision Judge(ParsedItem item)
    {
        if (item.IsRefused) return new ItemDecision(item, ItemStatus.Refused, Refusal: item.Refusal);
        var head = draft.Find(item.Entity);
        var incoming = BuildIncomingChange(item, head);
        var decision = head is null ? Create(item, incoming) : Judge(item, incoming, head);
        if (terms.Merges is not null) NoteBase(item);
        return decision;
    }

    private ItemDecision Judge(ParsedItem item, in IncomingChange incoming, EntityHead head)
    {
        var seen = Merge.JudgeSeen(incoming, head, terms.NowMs);
        if (seen is null && terms.Merges is not null && MergeFields(item, incoming, head) is { } merged) return merged;

        var verdict = seen ?? Merge.JudgeUnseen(incoming, head, terms.NowMs);
        return verdict.Outcome switch
        {
            Outcome.Unchanged => new ItemDecision(item, ItemStatus.Unchanged, head) { IsTwin = verdict.IsTwin },
            Outcome.Applied => Replace(item, incoming, head, verdict),
            _ => Lose(item, incoming, head, verdict),
        };
    }

    private IncomingChange BuildIncomingChange(ParsedItem item, EntityHead? head)
    {
        var hasSeen = terms.OnTopOfAnything || (terms.RevivesDeleted && head is { IsDeleted: true });
        var named = hasSeen ? head?.Version : item.BaseVersion;
        // A queue flushed at once names the version it was made on; its own earlier items have replaced that one meanwhile.
        var stillMeant = named is not null
            && draft.FindChange(item.Entity) is { } change
            && named == change.Before?.Version
            && FindHistory(item.Entity) is null;
        return new IncomingChange(
            item.IsDelete, item.ClientMs, terms.Device, item.Fingerprint, item.Type!.HasNaturalKey,
            stillMeant ? head?.Version : named, terms.BaseCounts || hasSeen, item.Change.LocalVersion);
    }

    private ItemDecision Create(ParsedItem item, in IncomingChange incoming)
    {
        if (ExceedsQuota(item, null)) return new ItemDecision(item, ItemStatus.Refused, Refusal: ItemRefusal.Quota);
        return Apply(item, incoming, null, Merge.Create(incoming, terms.NowMs));
    }

    private ItemDecision Replace(ParsedItem item, in IncomingChange incoming, EntityHead head, in Verdict verdict)
    {
        if (ExceedsQuota(item, head)) return new ItemDecision(item, ItemStatus.Refused, head, ItemRefusal.Quota);
        var keeps = Merge.ReplacesUnseen(incoming, head, verdict);
        var source = draft.FindChange(item.Entity)?.Source;
        var decision = Apply(item, incoming, head, verdict);
        if (keeps) KeepReplaced(item.Entity, head, source, decision.Head!.Version);
        return decision;
    }

    private ItemDecision Apply(ParsedItem item, in IncomingChange incoming, EntityHead? head, in Verdict verdict)
    {
        var change = FindChange(item.Entity, head);
        var next = new EntityHead
        {
            Seq = change.Seq,
            Version = change.Version,
            EffectiveMs = verdict.EffectiveMs,
            ClientMs = incoming.ClientTime,
            PublishedMs = verdict.PublishedMs,
            NamedVersion = item.Change.LocalVersion,
            Device = terms.Device,
            Fingerprint = item.Fingerprint,
            DeletedMs = item.IsDelete ? verdict.PublishedMs : null,
            PreviousFingerprint = change.Before?.Fingerprint ?? Fingerprint.None,
            PreviousPublishedMs = change.Before?.PublishedMs ?? 0,
            Echoes = head?.Echoes ?? [],
            Bytes = item.IsDelete ? 0 : item.Document.Length,
        };
        next = next.Remembering(Clocks.Echoes(next.Echoes, next));
        change.Source = item;
        draft.Put(change, next);
        AddToHistory(item, next);
        return new ItemDecision(item, FindStatus(item, head), next);
    }

    private static ItemStatus FindStatus(ParsedItem item, EntityHead? head) =>
        item.IsDelete ? ItemStatus.Deleted
        : head is null or { IsDeleted: true } ? ItemStatus.Created
        : ItemStatus.Updated;

    private ItemDecision Lose(ParsedItem item, in IncomingChange incoming, EntityHead head, in Verdict verdict)
    {
        if (verdict.Outcome is Outcome.BeatenInTie) head = AnnounceAgain(item.Entity, head, verdict.PublishedMs);
        if (!Merge.IsStaleCopy(incoming, head))
        {
            Keep(item, verdict.Reason is ItemRefusal.Deleted ? ConflictId.Deleted : ConflictId.Stale, head.Version);
        }
        return new ItemDecision(item, ItemStatus.Conflict, head, verdict.Reason);
    }

    private EntityHead AnnounceAgain(EntityKey entity, EntityHead head, long publishedMs)
    {
        var change = FindChange(entity, head);
        var next = head with
        {
            Seq = change.Seq,
            Version = change.Version,
            PublishedMs = publishedMs,
            DeletedMs = head.IsDeleted ? publishedMs : null,
        };
        next = next.Remembering(Clocks.Echoes(head.Echoes, next));
        draft.Put(change, next);
        return next;
    }

    /// <summary>The entity's one change in this request: its revision is taken with the first item that changes it.</summary>
    private EntityChange FindChange(EntityKey entity, EntityHead? head) =>
        draft.FindChange(entity) ?? new EntityChange(entity, head, draft.TakeRevision());

    private void Keep(ParsedItem item, string reason, long winnerVersion, IReadOnlyList<string>? members = null)
    {
        var id = ConflictId.From(item.Entity, item.Fingerprint, reason, members);
        losers[id] = new Loser(
            id, item.Entity, item.Fingerprint, reason, winnerVersion, terms.Device,
            item.Document.Render(item.BaseVersion ?? 0, item.ClientMs ?? 0), members);
    }

    /// <summary>A stored document is copied by the store itself; one that this very request brought is at hand.</summary>
    private void KeepReplaced(
        EntityKey entity, EntityHead head, ParsedItem? source, long winnerVersion, IReadOnlyList<string>? members = null)
    {
        var id = ConflictId.From(entity, head.Fingerprint, ConflictId.Replaced, members);
        if (source is not null) Keep(source, ConflictId.Replaced, winnerVersion, members);
        else replaced[id] = new ReplacedDocument(id, entity, head.Fingerprint, winnerVersion, members);
    }

    private bool ExceedsQuota(ParsedItem item, EntityHead? head)
    {
        // A deletion makes room; only one of an unknown id takes some.
        if (item.IsDelete) return head is null && draft.Tally.Tombstones >= Limits.TombstonesMax;
        var adds = head is null or { IsDeleted: true };
        var growth = item.Document.Length - (head?.Bytes ?? 0);
        return (adds && draft.Tally.Live >= terms.Quotas.LiveEntitiesMax)
            || (adds && draft.LiveTypes >= Limits.TypesMax && draft.LiveCount(item.Entity.Type) == 0)
            || (growth > 0 && draft.Tally.Bytes + growth > terms.Quotas.BytesMax);
    }
}
