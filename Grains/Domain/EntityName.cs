using System.Text.Json;

namespace Mirubato.Grains.Domain;

internal static class EntityName
{
    /// <summary>Null when no usable id is given.</summary>
    public static string? Find(EntityType type, Change change, in DocumentMembers members, UserId user)
    {
        var id = type.Ids switch
        {
            IdSource.User => user.Value,
            IdSource.Score => ScoreIds.NormalizeExisting(
                Given(members.Text(Member.ScoreId)) ?? Given(
                    members.Text(Member.ScoreIdSnake)) ?? change.Id ?? members.Text(Member.Id) ?? ""),
            _ => change.Id ?? members.Text(Member.Id),
        };
        return UsableId.Is(id) ? id : null;
    }

    /// <summary>
    /// The id of an item that is refused, as well as it can be told, so that the client finds it in the answer; else empty.
    /// The document may be too large, too deep or broken: nothing is built, the first <c>id</c> counts.
    /// </summary>
    public static string OfRefused(Change change, ReadOnlySpan<byte> document)
    {
        var id = change.Id ?? Scan(document);
        return UsableId.Is(id) ? id! : "";
    }

    private static string? Scan(ReadOnlySpan<byte> document)
    {
        try
        {
            var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = int.MaxValue });
            if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) return null;
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var isId = reader.ValueTextEquals("id"u8);
                reader.Read();
                if (isId) return reader.TokenType is JsonTokenType.String ? reader.GetString() : null;
                reader.Skip();
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // Broken JSON, or an id with a lone surrogate: no id to tell.
        }

        return null;
    }

    private static string? Given(string? id) => string.IsNullOrWhiteSpace(id) ? null : id;
}
