using System.Text;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>A change with its document at hand, as a test writes it.</summary>
internal sealed record Item(
    string Type,
    string? Id,
    ReadOnlyMemory<byte> Document,
    bool Delete = false,
    long? BaseVersion = null,
    string? Checksum = null,
    long? LocalVersion = null,
    long? EventMs = null,
    ItemRefusal Refused = ItemRefusal.None)
{
    public ParsedItem Read(UserId user) => ItemParser.Read(ChangeAt(0), Document, user);

    /// <summary>A request whose body is the list of the documents.</summary>
    public static WriteRequest Request(Caller caller, WriteScope scope, string? key, SyncToken cursor, IReadOnlyList<Item> items)
    {
        var body = new MemoryStream();
        var changes = new List<Change>();
        body.WriteByte((byte)'[');
        foreach (var item in items)
        {
            if (changes.Count > 0) body.WriteByte((byte)',');
            changes.Add(item.ChangeAt((int)body.Length));
            body.Write(item.Document.Span);
        }

        body.WriteByte((byte)']');
        return new WriteRequest(caller, scope, key, body.ToArray(), changes, cursor) { ItemsWanted = true };
    }

    public override string ToString() => Encoding.UTF8.GetString(Document.Span);

    private Change ChangeAt(int start) =>
        new(
            Type, Id, Document.IsEmpty ? default : new DocumentRange(start, Document.Length), Delete, BaseVersion, Checksum,
            LocalVersion, EventMs, Refused);
}
