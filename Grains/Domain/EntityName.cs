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
    public static string FindRefused(Change change, ReadOnlySpan<byte> document)
    {
        var id = change.Id ?? TopLevelText.Find(document, "id", passesOverOthers: false);
        return UsableId.Is(id) ? id! : "";
    }

    private static string? Given(string? id) => string.IsNullOrWhiteSpace(id) ? null : id;
}
