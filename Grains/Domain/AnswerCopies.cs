namespace Mirubato.Grains.Domain;

/// <summary>
/// The documents and lists of members that one answer carries: the winner of an entity once, however many items lost to it, and no more
/// than <see cref="Limits.AnswerCopiesBytesMax"/> in all. What is left out is marked, because its client has to pull it.
/// </summary>
internal sealed class AnswerCopies
{
    private readonly HashSet<EntityKey> winners = [];
    private long bytes;

    public ItemResult Limit(ItemResult result)
    {
        var isConflict = result.Status is ItemStatus.Conflict;
        if (isConflict && winners.Contains(result.Entity)) result = result with { Server = default };
        var copy = result.Server.Length + result.Document.Length;
        var size = copy + (result.Members?.Sum(member => (2L * member.Length) + 8) ?? 0);
        var isMissing = isConflict && copy == 0 && !winners.Contains(result.Entity);
        if (isMissing || bytes + size > Limits.AnswerCopiesBytesMax)
        {
            return result with { Server = default, Document = default, Members = null, IsCopyLeftOut = true };
        }
        if (isConflict) winners.Add(result.Entity);
        bytes += size;
        return result;
    }
}
