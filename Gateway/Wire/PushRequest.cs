using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary><c>{changes: {…any subset…}, lastSyncToken?}</c>. The documents are left as they are: the domain reads them.</summary>
internal static class PushRequest
{
    public static ParsedWrite Parse(ReadOnlyMemory<byte> body) => ParsedWrite.Read(body, "changes", "an object", "lastSyncToken", Changes);

    private static List<Change> Changes(ref JsonBodyReader reader)
    {
        const string parent = "$.changes";
        reader.MustBeObject();
        var changes = new List<Change>();
        var seen = new HashSet<string>();
        while (reader.Member(seen, parent) is { } name)
        {
            var type = EntityTypes.FindMember(name);
            if (type is null) Unknown(ref reader, name, changes);
            else if (reader.Token == JsonTokenType.Null) continue;
            else if (type.Ids is IdSource.User) Add(changes, type, reader.Slice(), reader.Body);
            else Items(ref reader, type, changes);
        }

        return changes;
    }

    private static void Items(ref JsonBodyReader reader, EntityType type, List<Change> changes)
    {
        if (reader.Token != JsonTokenType.StartArray) throw reader.Wrong("must be an array");
        var parent = reader.Path;
        var first = changes.Count;
        while (true)
        {
            reader.Next();
            if (reader.Token == JsonTokenType.EndArray) return;
            try
            {
                Add(changes, type, reader.Slice(), reader.Body);
            }
            catch (RequestRefusedException e) when (e.Path == parent)
            {
                // The place is spelled out only once it is needed: a logbook has thousands of items.
                throw new RequestRefusedException(e.Problem, e.Detail, $"{parent}[{changes.Count - first}]");
            }
        }
    }

    private static void Add(List<Change> changes, EntityType type, ReadOnlyMemory<byte> document, ReadOnlyMemory<byte> body) =>
        Add(changes, document.Length <= Limits.StoredBytesMax
            ? new Change(type.Name, Id: null, DocumentRange.From(document, body))
            : new Change(type.Name, OversizedItem.Id(type, document.Span), Document: default, Refused: ItemRefusal.TooLarge));

    // Reported, not ignored: its sender believes that it is stored.
    private static void Unknown(ref JsonBodyReader reader, string name, List<Change> changes)
    {
        reader.Skip();
        Add(changes, new Change(JsonBodyReader.Cut(name), Id: null, Document: default, Refused: ItemRefusal.UnknownType));
    }

    private static void Add(List<Change> changes, Change change)
    {
        if (changes.Count == Limits.PushItemsMax)
            throw new RequestRefusedException(
                Problem.TooManyItems, $"A push holds at most {Limits.PushItemsMax} items; send them in several requests.");
        changes.Add(change);
    }
}
