namespace Mirubato.Grains.Domain;

/// <summary>Rule 3b: an edit of an older base is merged with what came since (docs/protocol.md, Merge of fields).</summary>
internal sealed partial class Deciding
{
    private readonly Dictionary<EntityKey, (long Base, MergeValue Sent)> chains = [];
    private int mergeFallbacks;

    /// <summary>Null where rule 3b does not fit, and where its result cannot be stored: the later rules decide then.</summary>
    private ItemDecision? MergeFields(ParsedItem item, in IncomingChange incoming, EntityHead head)
    {
        if (item.IsDelete || head.IsDeleted || !incoming.BaseCounts || incoming.Base is not { } named) return null;
        if (!IsOlder(named, item, head) || !terms.Quotas.Merges(item.Entity.Type)) return null;
        if (FindHistory(item.Entity)?.From(named) is not { } versions)
        {
            mergeFallbacks++;
            return null;
        }

        // It was made after its base, whatever its writer's clock says.
        var effective = Math.Max(Merge.EffectiveTime(incoming, head, terms.NowMs), versions[0].EffectiveMs + 1);
        var changeTime = new ChangeTime(effective, incoming.ClientTime, terms.Device);
        var sent = new MergeValue(item.Document.Render(0, 0));
        var result = ThreeWayMerge.Merge(item.Type!, FindBase(item, named) ?? versions[0].Value, versions, sent, changeTime, terms.NowMs);
        return result.TookAny ? StoreMerged(item, changeTime, head, result)
            : result.Lost.Count > 0 ? LoseMembers(item, head, result.Lost)
            : FindNothingNew(item, incoming, changeTime, head);
    }

    private static bool IsOlder(long named, ParsedItem item, EntityHead head) => named < head.Version && named == item.BaseVersion;

    private MergeHistory? FindHistory(EntityKey entity) => terms.Merges?.GetValueOrDefault(entity);

    /// <summary>Of several items that name one base each was made on the one before it.</summary>
    private MergeValue? FindBase(ParsedItem item, long named) =>
        chains.TryGetValue(item.Entity, out var before) && before.Base == named ? before.Sent : null;

    private void NoteBase(ParsedItem item)
    {
        if (FindHistory(item.Entity) is null || item.BaseVersion is not { } named) return;
        if (item.IsDelete) chains.Remove(item.Entity);
        else chains[item.Entity] = (named, new MergeValue(item.Document.Render(0, 0)));
    }

    private void AddToHistory(ParsedItem item, EntityHead head)
    {
        if (FindHistory(item.Entity) is not { } history) return;
        var data = item.IsDelete ? default : item.Document.Render(head.Version, head.PublishedMs);
        history.Add(new MergeVersion(head.Version, data, head.EffectiveMs, head.ChangeTime));
    }

    private ItemDecision? StoreMerged(ParsedItem item, ChangeTime changeTime, EntityHead head, MergeResult result)
    {
        var change = new Change(item.Entity.Type, item.Entity.Id, new DocumentRange(0, result.Document.Length))
        {
            LocalVersion = item.Change.LocalVersion,
        };
        var merged = ItemParser.Read(change, result.Document, terms.User);
        if (merged.IsRefused || merged.IsDelete || merged.Entity != item.Entity || ExceedsQuota(merged, head)) return null;

        var source = draft.FindChange(item.Entity)?.Source;
        var next = ApplyMerged(merged, changeTime, head);
        if (result.Lost.Count > 0) Keep(item, ConflictId.Stale, next.Version, result.Lost);
        if (result.Replaced.Count > 0) KeepReplaced(item.Entity, head, source, next.Version, result.Replaced);
        return new ItemDecision(item, ItemStatus.Merged, next) { Members = OrNull(result.Lost) };
    }

    private EntityHead ApplyMerged(ParsedItem merged, ChangeTime changeTime, EntityHead head)
    {
        var isFirst = draft.FindChange(merged.Entity) is null;
        var change = FindChange(merged.Entity, head);
        var clientMs = Math.Max(changeTime.ClientMs, head.ClientMs) + 1;
        var next = head with
        {
            Seq = change.Seq,
            Version = change.Version,
            EffectiveMs = Math.Max(changeTime.EffectiveMs, head.EffectiveMs) + 1,
            ClientMs = clientMs,
            PublishedMs = Clocks.PublishedTime(clientMs, head),
            NamedVersion = merged.Change.LocalVersion,
            Device = terms.Device,
            MergedIn = isFirst ? changeTime : ChangeTime.Max(changeTime, head.ChangeTime),
            Fingerprint = merged.Fingerprint,
            PreviousFingerprint = change.Before?.Fingerprint ?? Fingerprint.None,
            PreviousPublishedMs = change.Before?.PublishedMs ?? 0,
            Bytes = merged.Document.Length,
        };
        next = next.Remembering(Clocks.EchoesOfMerge(head, changeTime, next));
        change.Source = merged;
        draft.Put(change, next);
        AddToHistory(merged, next);
        return next;
    }

    private ItemDecision LoseMembers(ParsedItem item, EntityHead head, IReadOnlyList<string> lost)
    {
        Keep(item, ConflictId.Stale, head.Version, lost);
        return new ItemDecision(item, ItemStatus.Conflict, head, ItemRefusal.Stale) { Members = lost };
    }

    /// <summary>
    /// Its sender takes over what is stored. One whose clock is past what was sent would not: the stored document is announced again.
    /// </summary>
    private ItemDecision FindNothingNew(ParsedItem item, in IncomingChange incoming, ChangeTime changeTime, EntityHead head)
    {
        if (incoming.ClientMs is null || incoming.ClientTime <= head.PublishedMs)
        {
            return new ItemDecision(item, ItemStatus.Merged, head) { Stored = FindHistory(item.Entity)!.Current.Data };
        }

        // Sent again without its base, it is older than what is stored.
        var echo = changeTime with { EffectiveMs = Math.Min(changeTime.EffectiveMs, head.EffectiveMs - 1) };
        var next = AnnounceAgain(item.Entity, head with { Echoes = Clocks.Remember(head.Echoes, echo) }, incoming.ClientTime + 1);
        return new ItemDecision(item, ItemStatus.Merged, next);
    }

    private static IReadOnlyList<string>? OrNull(IReadOnlyList<string> members) => members.Count > 0 ? members : null;
}
