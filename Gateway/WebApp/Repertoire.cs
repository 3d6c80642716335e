namespace Mirubato.Gateway.WebApp;

/// <summary>Between repertoire documents and what the calls say of them.</summary>
internal static class Repertoire
{
    public static readonly EntityType Type = EntityTypes.RepertoireItem;
    public const string FirstStatus = "planned";

    private static readonly string[] Statuses =
    [
        FirstStatus, "learning", "working", "polished", "performance_ready", "archived", "dropped",
    ];

    public static RepertoireItem Item(StoredRow row, JsonMembers document, Practice practice) => new(
        row.Entity.Id,
        row.Entity.Id,
        document["status"].Text() ?? FirstStatus,
        document["difficultyRating"].Number(),
        document["personalNotes"].Text(),
        new((document["referenceLinks"].IsList ? document["referenceLinks"] : JsonValue.EmptyList).Utf8),
        practice.Count,
        practice.Total,
        practice.LastMs,
        document.CreatedMs(row),
        row.UpdatedAtMs);

    public static void Check(JsonMembers sent)
    {
        if (sent.OptionalText("status") is { } status && !Statuses.Contains(status))
            throw Fields.Wrong("$.status", $"must be one of {string.Join(", ", Statuses)}");
        sent.OptionalNumber("difficultyRating");
        sent.OptionalText("personalNotes");
        sent.OptionalTexts("referenceLinks");
    }

    public static string FindScoreId(JsonMembers sent)
    {
        var id = ScoreIds.NormalizeExisting(sent.RequiredText("scoreId"));
        return UsableId.Is(id)
            ? id
            : throw Fields.Wrong("$.scoreId", $"must have at most {UsableId.UnitsMax} characters and no control characters");
    }

    /// <summary>A document of what was sent, with what every item has.</summary>
    public static JsonMembers Document(string scoreId, JsonMembers sent, long nowMs)
    {
        var document = new JsonMembers { ["scoreId"] = JsonValue.From(scoreId) };
        sent.Remove("scoreId");
        sent.Remove("score_id");
        document.Merge(sent);
        if (!document["status"].IsGiven) document["status"] = JsonValue.From(FirstStatus);
        if (!document["referenceLinks"].IsGiven) document["referenceLinks"] = JsonValue.EmptyList;
        document["createdAt"] = JsonValue.From(nowMs);
        document["updatedAt"] = JsonValue.From(nowMs);
        return document;
    }

    /// <summary>The name of a piece: from its document, else from its id, which is in lower case.</summary>
    public static PieceName? FindName(JsonMembers document, string scoreId) => OwnName(document) ?? NameIn(scoreId);

    public static PieceName? OwnName(JsonMembers document) =>
        (document["title"].Name() ?? document["scoreTitle"].Name()) is { } title
            ? new PieceName(title, document["composer"].Name() ?? document["scoreComposer"].Name())
            : null;

    /// <summary>Null for an id that was given elsewhere and says nothing.</summary>
    public static PieceName? NameIn(string scoreId)
    {
        if (scoreId.StartsWith("score_", StringComparison.OrdinalIgnoreCase)) return null;
        var bars = scoreId.IndexOf("||", StringComparison.Ordinal);
        var (at, width) = bars >= 0 ? (bars, 2) : (scoreId.IndexOf('-', StringComparison.Ordinal), 1);
        if (at <= 0) return null;
        var composer = scoreId[(at + width)..];
        return new PieceName(scoreId[..at], composer == "unknown" ? null : composer);
    }
}
