using System.Text.Json;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Wire;

/// <summary>An item too large to be looked at by the domain still has a name, so that its sender learns which one was refused.</summary>
internal static class OversizedItem
{
    private static readonly string[] ScoreMembers = ["scoreId", "score_id", "id"];
    private static readonly string[] Members = ["id"];

    public static string? Id(EntityType type, ReadOnlySpan<byte> document)
    {
        var names = type.Ids is IdSource.Score ? ScoreMembers : Members;
        foreach (var name in names)
        {
            if (Member(document, name) is { } id && UsableId.Is(id)) return id;
        }

        return null;
    }

    private static string? Member(ReadOnlySpan<byte> document, string name)
    {
        try
        {
            var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = Limits.BodyDepthMax });
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var found = reader.ValueTextEquals(name);
                reader.Read();
                if (found) return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                reader.Skip();
            }
        }
        catch (InvalidOperationException)
        {
            // No object, or an id that is no text: it stays nameless.
        }

        return null;
    }
}
