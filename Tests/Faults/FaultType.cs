namespace Mirubato.Tests.Faults;

/// <summary>How a device speaks of one type of entity, written down from docs/protocol.md and not from the server's own table.</summary>
/// <param name="Section">The member of a push and of a pull; null: by batch, and in a pull under <c>other</c>.</param>
/// <param name="Upsert">The event of a client, and <paramref name="Payload"/> the member of its document.</param>
/// <param name="Delete">The event, and <paramref name="IdMember"/> what names the entity; null: <c>ENTITY_DELETED</c>.</param>
internal sealed record FaultType(
    string Name, string? Section, string Upsert, string Payload, string? Delete = null, string? IdMember = null)
{
    public static readonly IReadOnlyList<FaultType> All =
    [
        new("logbook_entry", "entries", "ENTRY_UPDATED", "entry", "ENTRY_DELETED", "entryId"),
        new("goal", "goals", "GOAL_UPDATED", "goal", "GOAL_DELETED", "goalId"),
        new("repertoire_item", "repertoire", "PIECE_UPDATED", "piece", "PIECE_REMOVED", "scoreId"),
        new("practice_plan", "practicePlans", "PLAN_UPDATED", "plan", "PLAN_DELETED", "planId"),
        new("plan_occurrence", "planOccurrences", "PLAN_OCCURRENCE_COMPLETED", "occurrence"),
        new("plan_template", "planTemplates", "TEMPLATE_UPDATED", "template", "TEMPLATE_DELETED", "templateId"),
        new("user_preferences", "preferences", "PREFERENCES_UPDATED", "preferences"),
        new("annotation", null, "ENTITY_UPDATED", "entity"),
    ];

    /// <summary>Types whose plans existing clients overwrite without comparing clocks.</summary>
    public bool IsPlan => Name is "practice_plan" or "plan_occurrence";

    public bool IsPreferences => Name == "user_preferences";

    /// <summary>The member that names it in its own document.</summary>
    public string IdInDocument => Name == "repertoire_item" ? "scoreId" : "id";

    public static FaultType Find(string name) => All.First(type => type.Name == name);

    public string Id(string user, int number) => this switch
    {
        { IsPreferences: true } => user,
        { Name: "repertoire_item" } => $"song{number}-bach",
        _ => $"{Name}{number}",
    };
}

internal readonly record struct FaultEntity(FaultType Type, string Id)
{
    public override string ToString() => $"{Type.Name}/{Id}";
}
