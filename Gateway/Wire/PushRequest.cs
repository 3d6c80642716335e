using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary><c>{changes: {…any subset…}, lastSyncToken?}</c>. The documents are left as they are: the domain reads them.</summary>
internal static class PushRequest
{
    public static ParsedWrite Parse(ReadOnlyMemory<byte> body) => ParsedWrite.Read(body, "changes", "an object", "lastSyncToken", Changes);

    private static List<Change> Changes(ref JsonBodyReader walk)
    {
        const string parent = "$.changes";
        walk.MustBeObject();
        var changes = new List<Change>();
        var seen = new HashSet<string>();
        while (walk.Member(seen, parent) is { } name)
        {
            var type = EntityTypes.FindMember(name);
            if (type is null) Unknown(ref walk, name, changes);
            else if (walk.Token == JsonTokenType.Null) continue;
            else if (type.Ids is IdSource.User) Add(changes, type, walk.Slice(), walk.Body);
            else Items(ref walk, type, changes);
        }

        return changes;
    }

    private static void Items(ref JsonBodyReader walk, EntityType type, List<Change> changes)
    {
        if (walk.Token != JsonTokenType.StartArray) throw walk.Wrong("must be an array");
        var parent = walk.Path;
        var first = changes.Count;
        while (true)
        {
            walk.Next();
            if (walk.Token == JsonTokenType.EndArray) return;
            try
            {
                Add(changes, type, walk.Slice(), walk.Body);
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

    // Reported, not ignored: whoever sends it believes that it is stored.
    private static void Unknown(ref JsonBodyReader walk, string name, List<Change> changes)
    {
        walk.Skip();
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
