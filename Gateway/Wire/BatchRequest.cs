using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary><c>{entities: [{type, id, data, checksum, version, baseVersion?, deleted?}], syncToken?}</c>.</summary>
internal static class BatchRequest
{
    public static ParsedWrite Parse(ReadOnlyMemory<byte> body) => ParsedWrite.Read(body, "entities", "an array", "syncToken", Entities);

    private static List<Change> Entities(ref JsonBodyReader reader)
    {
        if (reader.Token != JsonTokenType.StartArray) throw reader.Wrong("must be an array");
        var parent = reader.Path;
        var changes = new List<Change>();
        var seen = new HashSet<string>();
        while (true)
        {
            reader.Path = parent;
            try
            {
                reader.Next();
                if (reader.Token == JsonTokenType.EndArray) return changes;
                if (changes.Count == Limits.BatchItemsMax)
                    throw new RequestRefusedException(
                        Problem.TooManyItems, $"A batch holds at most {Limits.BatchItemsMax} entities; send them in several requests.");
                changes.Add(Item(ref reader, seen, likelyType: changes is [.., var last] ? last.Type : null));
            }
            // The place is spelled out only once it is needed.
            catch (RequestRefusedException e) when (e.Problem is Problem.InvalidJson)
            {
                throw new RequestRefusedException(e.Problem, e.Detail, $"{parent}[{changes.Count}]");
            }
            catch (RequestRefusedException e) when (IsOfDeleted(e))
            {
                var path = $"{parent}[{changes.Count}].deleted";
                throw new RequestRefusedException(Problem.InvalidShape, $"{path} must be true, false or null.", path);
            }
        }
    }

    private static bool IsOfDeleted(RequestRefusedException e) => e is { Problem: Problem.InvalidShape, Path: "$.deleted" };

    /// <summary>
    /// One item: what is wrong with it is its own result and does not sink the others. The exceptions are what is not JSON, and
    /// <c>deleted</c>, because an update in place of a deletion, or a deletion in place of an update, would lose data.
    /// </summary>
    private static Change Item(ref JsonBodyReader reader, HashSet<string> seen, string? likelyType)
    {
        var (draft, depth) = (new Draft(likelyType), reader.Depth);
        if (reader.Token != JsonTokenType.StartObject)
        {
            reader.Skip();
            return Refused(draft, ItemRefusal.Invalid);
        }

        try
        {
            seen.Clear();
            while (reader.Member(seen, "$") is { } name) draft.Take(ref reader, name);
        }
        catch (RequestRefusedException e) when (e.Problem is not Problem.InvalidJson && !IsOfDeleted(e))
        {
            reader.SkipToEnd(depth);
            return Refused(draft, e.Problem is Problem.DuplicateMember ? ItemRefusal.DuplicateKeys : ItemRefusal.Invalid);
        }

        return draft.Refusal() is var why and not ItemRefusal.None
            ? Refused(draft, why)
            : new Change(
                draft.Type!, draft.Id, DocumentRange.From(draft.Data, reader.Body), draft.Deleted, draft.BaseVersion,
                draft.Checksum, draft.Version);
    }

    private static Change Refused(Draft draft, ItemRefusal why) => new(
        JsonBodyReader.Cut(draft.Type ?? ""), UsableId.Is(draft.Id)
            ? draft.Id
            : null, Document: default, LocalVersion: draft.Version, Refused: why);

    /// <summary>The members of an item as they come by.</summary>
    private sealed class Draft(string? likelyType)
    {
        public string? Type { get; private set; }
        public string? Id { get; private set; }
        public ReadOnlyMemory<byte> Data { get; private set; }
        public string? Checksum { get; private set; }
        public long? Version { get; private set; }
        public long? BaseVersion { get; private set; }
        public bool Deleted { get; private set; }

        public void Take(ref JsonBodyReader reader, string name)
        {
            switch (name)
            {
                case "type": Type = reader.Text(likelyType); break;
                case "id": Id = reader.Text(); break;
                case "data" when reader.Token != JsonTokenType.Null: Data = reader.Slice(); break;
                case "checksum" when reader.Token == JsonTokenType.String: TakeChecksum(reader.Text()); break;
                case "version": Version = reader.Number(); reader.Skip(); break;
                case "baseVersion": BaseVersion = reader.Number(); reader.Skip(); break;
                case "deleted" when reader.Token is JsonTokenType.True or JsonTokenType.False
                    or JsonTokenType.Null:
                    Deleted = reader.Token == JsonTokenType.True; break;
                case "deleted": throw reader.Wrong("must be true, false or null");
                default: reader.Skip(); break;
            }
        }

        public ItemRefusal Refusal() =>
            Type is null || EntityTypes.Find(Type) is null ? ItemRefusal.UnknownType
            : Id is not null && !UsableId.Is(Id) ? ItemRefusal.Invalid
            : Data.Length > Limits.StoredBytesMax ? ItemRefusal.TooLarge
            : Data.IsEmpty && !(Deleted && Id is not null) ? ItemRefusal.Invalid
            : ItemRefusal.None;

        // Existing clients send other things here too; only what can be a SHA-256 is taken for one.
        private void TakeChecksum(string? text) => Checksum = ChecksumText.Is(text) ? text : null;
    }
}
