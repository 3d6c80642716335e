namespace Mirubato.Grains;

/// <summary>
/// The heads of the last minute. A device that was away for a moment sends no SYNC_REQUEST, and the server replays from the head of a
/// minute ago. A head that is noted late is lower than the true one, so a little is sent twice.
/// </summary>
internal sealed class RecentHeads
{
    private List<(long AtMs, SyncToken Head)>? notes;

    public void Note(SyncToken head, long nowMs)
    {
        notes ??= new(1);
        if (notes.Count > 0 && notes[^1].Head.Epoch != head.Epoch) notes.Clear();
        if (notes.Count > 0 && !head.Seq.IsAfter(notes[^1].Head.Seq)) return;
        // One a second is enough: the later of two only says that the head was at least that far by then.
        if (notes.Count > 1 && nowMs - notes[^2].AtMs < 1000) notes[^1] = (nowMs, head);
        else notes.Add((nowMs, head));
        while (notes.Count > 1 && (notes[1].AtMs <= nowMs - Limits.RecentHeadsMs || notes.Count > Limits.RecentHeadsMax)) notes.RemoveAt(0);
    }

    /// <summary>A revision that was the head, or below it, a minute ago; null when nothing is known of then.</summary>
    public SyncToken? MinuteOld(long nowMs)
    {
        for (var i = (notes?.Count ?? 0) - 1; i >= 0; i--)
        {
            if (notes![i].AtMs <= nowMs - Limits.RecentHeadsMs) return notes[i].Head;
        }

        return null;
    }
}
