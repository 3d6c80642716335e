namespace Mirubato.Grains.Domain;

/// <summary>
/// The documents that one answer carries: the winner of an entity once, however many items lost to it, and no more than
/// <see cref="Limits.AnswerCopiesBytesMax"/> in all. What is left out is marked, because its client has to pull it.
/// </summary>
internal sealed class AnswerCopies
{
    private readonly HashSet<EntityKey> winners = [];
    private long bytes;

    public ItemResult Limit(ItemResult result)
    {
        var isConflict = result.Status is ItemStatus.Conflict;
        if (isConflict && winners.Contains(result.Entity)) return result with { Server = default };
        var size = result.Server.Length + result.Document.Length;
        if ((isConflict && size == 0) || bytes + size > Limits.AnswerCopiesBytesMax)
        {
            return result with { Server = default, Document = default, IsCopyLeftOut = true };
        }
        if (isConflict) winners.Add(result.Entity);
        bytes += size;
        return result;
    }
}
