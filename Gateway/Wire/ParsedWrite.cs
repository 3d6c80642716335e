
namespace Mirubato.Gateway.Wire;

/// <summary>Reads the items of a write where the reader stands on their member.</summary>
internal delegate List<Change> ItemsReader(ref JsonBodyReader reader);

/// <summary>The items of a write and the cursor that came along.</summary>
internal sealed record ParsedWrite(List<Change> Changes, SyncToken Cursor)
{
    /// <summary>
    /// The envelope of both writes: the items under one member, the token under another, and whatever else a client adds.
    /// </summary>
    public static ParsedWrite Read(ReadOnlyMemory<byte> body, string itemsMember, string shape, string tokenMember, ItemsReader items)
    {
        var reader = new JsonBodyReader(body);
        var seen = new HashSet<string>();
        List<Change>? changes = null;
        var cursor = SyncToken.Start;
        reader.Next();
        reader.MustBeObject();
        while (reader.Member(seen, "$") is { } name)
        {
            if (name == itemsMember) changes = items(ref reader);
            else if (name == tokenMember) cursor = SyncToken.Parse(reader.Text());
            else reader.Skip();
        }

        reader.End();
        return changes is null
            ? throw new RequestRefusedException(
                Problem.InvalidShape, $"$.{itemsMember} must be {shape}; it is missing.", $"$.{itemsMember}")
            : new ParsedWrite(changes, cursor);
    }
}
