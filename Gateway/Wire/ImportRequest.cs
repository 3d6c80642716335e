
namespace Mirubato.Gateway.Wire;

/// <summary>
/// Lines of an export, all or some of them: those of kind <c>entity</c> are items, the others say nothing that could be restored.
/// </summary>
internal static class ImportRequest
{
    private static readonly string[] Kinds = ["entity", "tombstone", "conflict", "end"];

    public static List<Change> Parse(ReadOnlyMemory<byte> body)
    {
        var changes = new List<Change>();
        var (rest, line) = (body, 0);
        while (!rest.IsEmpty)
        {
            line++;
            var end = rest.Span.IndexOf((byte)'\n');
            var one = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (one.Span.Trim(" \r\t"u8).IsEmpty) continue;
            if (Item(one, body, $"$[{line - 1}]") is { } change) changes.Add(change);
            if (changes.Count > Limits.PushItemsMax)
                throw new RequestRefusedException(
                    Problem.TooManyItems, $"An import holds at most {Limits.PushItemsMax} entities; send its lines in several requests.");
        }

        return changes;
    }

    private static Change? Item(ReadOnlyMemory<byte> line, ReadOnlyMemory<byte> body, string path)
    {
        var reader = new JsonBodyReader(line) { Path = path };
        var seen = new HashSet<string>();
        var (kind, type, id, data) = ((string?)null, (string?)null, (string?)null, ReadOnlyMemory<byte>.Empty);
        reader.Next();
        reader.MustBeObject();
        while (reader.Member(seen, path) is { } name)
        {
            switch (name)
            {
                case "kind": kind = reader.Text(); break;
                case "entityType": type = reader.Text(); break;
                case "entityId": id = reader.Text(); break;
                case "data": data = reader.Slice(); break;
                default: reader.Skip(); break;
            }
        }

        reader.End();
        if (!Kinds.Contains(kind))
        {
            throw new RequestRefusedException(
                Problem.InvalidShape, $"{path}.kind must be one of {string.Join(", ", Kinds)}.", $"{path}.kind");
        }
        if (kind != Kinds[0]) return null;
        return EntityTypes.Find(type ?? "") is not null && UsableId.Is(id) && data.Length is > 0 and <= Limits.StoredBytesMax
            ? new Change(type!, id, DocumentRange.From(data, body))
            : throw new RequestRefusedException(
                Problem.InvalidShape, $"{path} must have an entityType, an entityId and data, as an export writes them.", path);
    }
}
