namespace Mirubato.Gateway.WebApp;

/// <summary>Between goal documents and what the calls say of them.</summary>
internal static class GoalDocuments
{
    public static readonly EntityType Type = EntityTypes.Goal;
    public const string FirstStatus = "active";
    public const string LastStatus = "completed";

    public static Goal Goal(StoredRow row, JsonMembers document, Practice practice) => new(
        row.Entity.Id,
        document["title"].Text(),
        document["description"].Text(),
        document["type"].Text(),
        document["targetValue"].Number(),
        document["currentValue"].Number() ?? 0,
        document["targetDate"].TimeMs(),
        document["status"].Text() ?? FirstStatus,
        FindScoreId(document),
        document["measures"].Bytes(),
        document["practicePlan"].Bytes(),
        document["milestones"].Bytes(),
        practice.Count,
        document.CreatedMs(row),
        row.UpdatedAtMs);

    public static string? FindScoreId(JsonMembers document) => document["scoreId"].Name() ?? document["score_id"].Name();

    public static void Check(JsonMembers sent)
    {
        foreach (var name in (string[])["title", "description", "type", "status", "scoreId"]) sent.OptionalText(name);
        sent.OptionalNumber("targetValue");
        sent.OptionalNumber("currentValue");
        if (sent["targetDate"] is { IsGiven: true } date && date.TimeMs() is null)
        {
            throw Fields.Wrong("$.targetDate", "must be a time: Unix ms or ISO 8601");
        }
    }

    /// <summary>The id of a body, or a fresh one.</summary>
    public static string FindId(JsonMembers sent, RequestKey key)
    {
        if (sent.OptionalText("id") is not { } id) return key.FreshId();
        return UsableId.Is(id)
            ? id
            : throw Fields.Wrong("$.id", $"must be a text of 1 to {UsableId.UnitsMax} characters without control characters");
    }

    /// <summary>A document of what was sent, with what every goal has.</summary>
    public static JsonMembers Document(JsonMembers sent, long nowMs)
    {
        var document = new JsonMembers();
        document.Merge(sent);
        if (!document["status"].IsGiven) document["status"] = JsonValue.From(FirstStatus);
        if (!document["currentValue"].IsGiven) document["currentValue"] = JsonValue.From(0);
        document["createdAt"] = JsonValue.From(nowMs);
        document["updatedAt"] = JsonValue.From(nowMs);
        return document;
    }

    /// <summary>Adds a record of progress; at the target the goal is completed.</summary>
    public static void Progress(JsonMembers document, double value, string? notes, long nowMs)
    {
        var record = new JsonMembers { ["timestamp"] = JsonValue.From(nowMs), ["value"] = JsonValue.From(value) };
        if (notes is not null) record["notes"] = JsonValue.From(notes);
        document["progress"] = JsonValue.List([.. document["progress"].Elements(), new JsonValue(record.ToJson())]);
        var reached = (document["currentValue"].Number() ?? 0) + value;
        if (!double.IsFinite(reached)) throw Fields.Wrong("$.value", "makes a sum that is too large for a number");
        document["currentValue"] = JsonValue.From(reached);
        if (document["targetValue"].Number() is not { } target || reached < target || document["status"].Text() == LastStatus) return;
        document["status"] = JsonValue.From(LastStatus);
        document["completedAt"] = JsonValue.From(nowMs);
    }
}
