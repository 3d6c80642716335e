using Mirubato.Grains.Domain;
using Mirubato.Grains.Storage.D1;

namespace Mirubato.Grains;

/// <summary>
/// A row as an item that a device without a name sends. Its document goes as it is. Where the document has no clock of its own, the row's
/// <c>updated_at</c> is its clock; a deleted row is a delete at its <c>deleted_at</c>.
/// </summary>
internal sealed record ImportItem(D1Row Row, Change Change)
{
    public ReadOnlyMemory<byte> Document => Change.Delete ? default : Row.Data;

    /// <summary>Null: the row is refused in the tally.</summary>
    public static ImportItem? From(D1Row row, ImportTally tally)
    {
        var deletedMs = TimeParser.ParseText(row.DeletedAt);
        if (!UsableId.Is(row.User)) tally.Refuse(row, ImportReason.UserId);
        else if (!row.IsUserKnown) tally.Refuse(row, ImportReason.UnknownUser);
        else if (row.DeletedAt is not null && deletedMs is null) tally.Refuse(row, ImportReason.DeletedAt);
        else if (row.Type is null) tally.Refuse(row, ImportReason.Item, ItemRefusal.UnknownType);
        else if (!UsableId.Is(row.EntityId)) tally.Refuse(row, ImportReason.Item, ItemRefusal.Invalid);
        else if (row.DataBytes > Limits.StoredBytesMax) tally.Refuse(row, ImportReason.Item, ItemRefusal.TooLarge);
        else return new ImportItem(row, Build(row, deletedMs));
        return null;
    }

    /// <summary>What the coordinator would refuse whatever it holds.</summary>
    public ItemRefusal Check() => ItemParser.Read(Change, Document, new UserId(Row.User!)).Refusal;

    private static Change Build(D1Row row, long? deletedMs) =>
        new(row.Type!, row.EntityId, default, Delete: deletedMs is not null)
        {
            EventMs = deletedMs ?? TimeParser.ParseText(row.UpdatedAt),
        };

    /// <summary>The items of one user as one write, whose body is their documents.</summary>
    public static WriteRequest ToWrite(UserId user, IReadOnlyList<ImportItem> items)
    {
        var body = new byte[items.Sum(item => item.Document.Length)];
        var (changes, at) = (new List<Change>(items.Count), 0);
        foreach (var item in items)
        {
            item.Document.CopyTo(body.AsMemory(at));
            changes.Add(item.Change with { Document = new DocumentRange(at, item.Document.Length) });
            at += item.Document.Length;
        }

        // No sign-out of the user concerns it: it speaks for the operator.
        return new WriteRequest(new Caller(user, null, long.MaxValue), WriteScope.Push, Key: null, body, changes) { ItemsWanted = true };
    }
}
