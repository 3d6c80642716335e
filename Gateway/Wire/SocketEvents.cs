using System.Collections.Frozen;

namespace Mirubato.Gateway.Wire;

/// <summary>How one entity type is spoken of on a socket.</summary>
/// <param name="Payload">The member that carries a document.</param>
/// <param name="IdMember">The member that names a deleted entity.</param>
/// <param name="Upserts">Names for a document; the first says that it is new, the last that it changed.</param>
/// <param name="Deletes">Names for a deletion, the first one goes out; none: <c>ENTITY_DELETED</c>.</param>
/// <param name="Bulk">The name for many at once, and <paramref name="BulkMember"/> the member they come in.</param>
internal sealed record EventNames(
    EntityType Type, string Payload, string IdMember, string[] Upserts, string[] Deletes, string? Bulk = null, string? BulkMember = null);

/// <summary>The one table of events. Reading, announcing and catch-up all follow it.</summary>
internal static class SocketEvents
{
    public const string EntityUpdated = "ENTITY_UPDATED";
    public const string EntityDeleted = "ENTITY_DELETED";

    public static readonly EventNames Plan = new(
        EntityTypes.PracticePlan, "plan", "planId", ["PLAN_CREATED", "PLAN_UPDATED"], ["PLAN_DELETED"]);

    public static readonly EventNames Occurrence = new(
        EntityTypes.PlanOccurrence, "occurrence", "occurrenceId", ["PLAN_OCCURRENCE_COMPLETED"], []);

    public static readonly IReadOnlyList<EventNames> All =
    [
        new(EntityTypes.LogbookEntry, "entry", "entryId", ["ENTRY_CREATED", "ENTRY_UPDATED"], ["ENTRY_DELETED"], "BULK_SYNC", "entries"),
        new(EntityTypes.Goal, "goal", "goalId", ["GOAL_UPDATED"], ["GOAL_DELETED"]),
        new(
            EntityTypes.RepertoireItem, "piece", "scoreId", ["PIECE_ADDED", "PIECE_UPDATED"], ["PIECE_REMOVED", "PIECE_DISSOCIATED"],
            "REPERTOIRE_BULK_SYNC", "pieces"),
        Plan,
        Occurrence,
        new(EntityTypes.PlanTemplate, "template", "templateId", ["TEMPLATE_UPDATED"], ["TEMPLATE_DELETED"]),
        new(EntityTypes.UserPreferences, "preferences", "preferencesId", ["PREFERENCES_UPDATED"], []),
    ];

    private static readonly FrozenDictionary<string, EventNames> ByType = All.ToFrozenDictionary(names => names.Type.Name);
    private static readonly FrozenDictionary<string, EventNames> ByUpsert = Index(names => names.Upserts);
    private static readonly FrozenDictionary<string, EventNames> ByDelete = Index(names => names.Deletes);
    private static readonly FrozenDictionary<string, EventNames> ByBulk = Index(names => names.Bulk is { } bulk ? [bulk] : []);

    /// <summary>Null for the application's own types: they travel as <see cref="EntityUpdated"/> and <see cref="EntityDeleted"/>.</summary>
    public static EventNames? FindByType(string type) => ByType.GetValueOrDefault(type);

    public static EventNames? FindUpsert(string name) => ByUpsert.GetValueOrDefault(name);

    public static EventNames? FindDelete(string name) => ByDelete.GetValueOrDefault(name);

    public static EventNames? FindBulk(string name) => ByBulk.GetValueOrDefault(name);

    private static FrozenDictionary<string, EventNames> Index(Func<EventNames, string[]> of) =>
        All.SelectMany(names => of(names).Select(name => KeyValuePair.Create(name, names))).ToFrozenDictionary();
}
