using System.Globalization;

namespace Mirubato.Gateway.WebApp;

/// <summary>What becomes of a template that is adopted, in the form that the app's own backend gave it.</summary>
internal sealed class AdoptedPlan(string templateId, JsonMembers template, JsonMembers customization, UserId user, long nowMs)
{
    private const double MinutesUsual = 60;

    private static readonly JsonValue NoMembers = new("{}"u8.ToArray());
    private readonly JsonMembers schedule = MergeSchedule(template, customization);

    public static JsonMembers ParseCustomization(JsonMembers sent)
    {
        const string path = "$.customization";
        if (!sent["customization"].IsGiven) return new JsonMembers();
        var custom = sent["customization"].Members() ?? throw Fields.Wrong(path, "must be an object");
        custom.OptionalText("title", path);
        if (custom["schedule"] is { IsGiven: true, IsObject: false }) throw Fields.Wrong($"{path}.schedule", "must be an object");
        return custom;
    }

    public JsonMembers Plan()
    {
        var plan = new JsonMembers { ["title"] = JsonValue.From(customization["title"].Name() ?? $"{template["title"].Text()} (Copy)") };
        foreach (var name in (string[])["description", "type", "templateVersion"])
        {
            if (!template[name].IsAbsent) plan[name] = template[name];
        }

        foreach (var name in (string[])["techniques", "pieceRefs"])
        {
            plan[name] = template[name].IsList ? template[name] : JsonValue.EmptyList;
        }
        foreach (var name in (string[])["focusAreas", "tags"])
            plan[name] = JsonValue.List(template[name].Elements().Concat(customization[name].Elements()).DistinctBy(one => one.Text()));
        plan["schedule"] = new JsonValue(schedule.ToJson());
        foreach (
            var (name, value) in ((string, string)[])
            [
                ("visibility", "private"), ("status", "active"), ("ownerId", user.Value), ("sourceTemplateId", templateId),
            ])
            plan[name] = JsonValue.From(value);
        var metadata = template["metadata"].Members() ?? new JsonMembers();
        metadata["adoptedFrom"] = JsonValue.From(templateId);
        metadata["adoptedAt"] = JsonValue.From(IsoTime.Text(nowMs));
        plan["metadata"] = new JsonValue(metadata.ToJson());
        return Dated(plan);
    }

    public JsonMembers Occurrence(string planId, JsonValue segments)
    {
        var startMs = StartMs();
        var minutes = schedule["durationMinutes"].Number() is > 0 and < 1e6 and var given ? given : MinutesUsual;
        return Dated(new JsonMembers
        {
            ["planId"] = JsonValue.From(planId),
            ["scheduledStart"] = JsonValue.From(IsoTime.Text(startMs)),
            ["scheduledEnd"] = JsonValue.From(IsoTime.Text(startMs + (long)(minutes * 60_000))),
            ["flexWindow"] = schedule["flexibility"].Text() == "fixed" ? JsonValue.Null : JsonValue.From("same-day"),
            ["recurrenceKey"] = schedule["kind"].Text() == "recurring" && schedule["rule"].IsGiven ? schedule["rule"] : JsonValue.Null,
            ["segments"] = segments,
            ["targets"] = NoMembers,
            ["reflectionPrompts"] = JsonValue.EmptyList,
            ["status"] = JsonValue.From("scheduled"),
            ["logEntryId"] = JsonValue.Null,
            ["notes"] = JsonValue.Null,
            ["metrics"] = NoMembers,
        });
    }

    /// <summary>The template, adopted once more.</summary>
    public JsonMembers Counted()
    {
        template["adoptionCount"] = JsonValue.From((template["adoptionCount"].Number() ?? 0) + 1);
        template.SetUpdatedAt(EntityTypes.PlanTemplate, nowMs);
        return template;
    }

    private JsonMembers Dated(JsonMembers document)
    {
        foreach (var name in (string[])["createdAt", "updatedAt"]) document[name] = JsonValue.From(IsoTime.Text(nowMs));
        return document;
    }

    /// <summary>At its time of day, which is UTC as in the app's own backend.</summary>
    private long StartMs()
    {
        var start = DateTimeOffset.FromUnixTimeMilliseconds(
            schedule["startDate"].TimeMs() is { } ms && ms is > 0 and < IsoTime.MaxMs ? ms : nowMs);
        return TimeOnly.TryParseExact(
            schedule["timeOfDay"].Text(), "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? new DateTimeOffset(start.UtcDateTime.Date + time.ToTimeSpan(), TimeSpan.Zero).ToUnixTimeMilliseconds()
            : start.ToUnixTimeMilliseconds();
    }

    private static JsonMembers MergeSchedule(JsonMembers template, JsonMembers customization)
    {
        var merged = template["schedule"].Members() ?? new JsonMembers();
        foreach (var (name, value) in customization["schedule"].Members()?.All ?? []) merged[name] = value;
        return merged;
    }
}
