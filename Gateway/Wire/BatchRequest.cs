using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary><c>{entities: [{type, id, data, checksum, version, baseVersion?, deleted?}], syncToken?}</c>.</summary>
internal static class BatchRequest
{
    public static ParsedWrite Parse(ReadOnlyMemory<byte> body) => ParsedWrite.Read(body, "entities", "an array", "syncToken", Entities);

    private static List<Change> Entities(ref JsonBodyReader walk)
    {
        if (walk.Token != JsonTokenType.StartArray) throw walk.Wrong("must be an array");
        var parent = walk.Path;
        var changes = new List<Change>();
        while (true)
        {
            walk.Path = $"{parent}[{changes.Count}]";
            walk.Next();
            if (walk.Token == JsonTokenType.EndArray) return changes;
            if (changes.Count == Limits.BatchItemsMax)
                throw new RequestRefusedException(
                    Problem.TooManyItems, $"A batch holds at most {Limits.BatchItemsMax} entities; send them in several requests.");
            changes.Add(Item(walk.Slice(), walk.Body, walk.Path));
        }
    }

    /// <summary>
    /// One item, walked on its own: what is wrong with it is its own result and does not sink the others. The exception is <c>deleted</c>,
    /// because an update in place of a deletion, or a deletion in place of an update, would lose data.
    /// </summary>
    private static Change Item(ReadOnlyMemory<byte> item, ReadOnlyMemory<byte> body, string path)
    {
        var draft = new Draft();
        try
        {
            var walk = new JsonBodyReader(item);
            walk.Next();
            if (walk.Token != JsonTokenType.StartObject) return Refused(draft, ItemRefusal.Invalid);
            var seen = new HashSet<string>();
            while (walk.Member(seen, "$") is { } name) draft.Take(ref walk, name);
        }
        catch (RequestRefusedException e) when (e is { Problem: Problem.InvalidShape, Path: "$.deleted" })
        {
            throw new RequestRefusedException(Problem.InvalidShape, $"{path}.deleted must be true, false or null.", $"{path}.deleted");
        }
        catch (RequestRefusedException e)
        {
            return Refused(draft, e.Problem is Problem.DuplicateMember ? ItemRefusal.DuplicateKeys : ItemRefusal.Invalid);
        }

        return draft.Refusal() is var why and not ItemRefusal.None
            ? Refused(draft, why)
            : new Change(
                draft.Type!, draft.Id, DocumentRange.From(draft.Data, body), draft.Deleted, draft.BaseVersion,
                draft.Checksum, draft.Version);
    }

    private static Change Refused(Draft draft, ItemRefusal why) => new(
        JsonBodyReader.Cut(draft.Type ?? ""), UsableId.Is(draft.Id)
            ? draft.Id
            : null, Document: default, LocalVersion: draft.Version, Refused: why);

    /// <summary>The members of an item as they come by.</summary>
    private sealed class Draft
    {
        public string? Type { get; private set; }
        public string? Id { get; private set; }
        public ReadOnlyMemory<byte> Data { get; private set; }
        public string? Checksum { get; private set; }
        public long? Version { get; private set; }
        public long? BaseVersion { get; private set; }
        public bool Deleted { get; private set; }

        public void Take(ref JsonBodyReader walk, string name)
        {
            switch (name)
            {
                case "type": Type = walk.Text(); break;
                case "id": Id = walk.Text(); break;
                case "data" when walk.Token != JsonTokenType.Null: Data = walk.Slice(); break;
                case "checksum" when walk.Token == JsonTokenType.String: Checksum = Hex64(walk.Text()); break;
                case "version": Version = walk.Number(); walk.Skip(); break;
                case "baseVersion": BaseVersion = walk.Number(); walk.Skip(); break;
                case "deleted" when walk.Token is JsonTokenType.True or JsonTokenType.False
                    or JsonTokenType.Null:
                    Deleted = walk.Token == JsonTokenType.True; break;
                case "deleted": throw walk.Wrong("must be true, false or null");
                default: walk.Skip(); break;
            }
        }

        public ItemRefusal Refusal() =>
            Type is null || EntityTypes.Find(Type) is null ? ItemRefusal.UnknownType
            : Id is not null && !UsableId.Is(Id) ? ItemRefusal.Invalid
            : Data.Length > Limits.StoredBytesMax ? ItemRefusal.TooLarge
            : Data.IsEmpty && !(Deleted && Id is not null) ? ItemRefusal.Invalid
            : ItemRefusal.None;

        // Existing clients send other things here too; only what can be a SHA-256 is taken for one.
        private static string? Hex64(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigit) ? text : null;
    }
}
