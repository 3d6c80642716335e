namespace Mirubato.Gateway.Wire;

/// <summary>An item too large to be looked at by the domain still has a name, so that its sender learns which one was refused.</summary>
internal static class OversizedItem
{
    private static readonly string[] ScoreMembers = ["scoreId", "score_id", "id"];
    private static readonly string[] Members = ["id"];

    public static string? Id(EntityType type, ReadOnlySpan<byte> document)
    {
        foreach (var name in type.Ids is IdSource.Score ? ScoreMembers : Members)
        {
            if (TopLevelText.Find(document, name) is { } id && UsableId.Is(id)) return id;
        }

        return null;
    }
}
