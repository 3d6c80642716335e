using System.Collections.Frozen;

namespace Mirubato.Grains.Interfaces;

/// <summary>How an entity of a type gets its id.</summary>
public enum IdSource
{
    /// <summary>Made by the client; once deleted it never comes back without naming the tombstone as its base.</summary>
    Generated,

    /// <summary>The normalized score id; may be deleted and added again.</summary>
    Score,

    /// <summary>The user's own id: one entity per user.</summary>
    User,
}

/// <summary>How a type spells the times it sends out.</summary>
public enum TimeForm
{
    Iso,

    /// <summary>As the sender wrote it, epoch milliseconds or ISO.</summary>
    AsWritten,
}

/// <summary>
/// One row of the entity table. <paramref name="Member"/> names it in push and pull; types without one travel in <c>batch</c> and
/// <c>other</c>.
/// </summary>
public sealed record EntityType(string Name, string? Member, IdSource Ids = IdSource.Generated, TimeForm Times = TimeForm.Iso)
{
    /// <summary>A push of a natural key after its deletion may revive it (merge rule 4).</summary>
    public bool HasNaturalKey => Ids is not IdSource.Generated;

    /// <summary>Groups of members that make sense only beside each other: a merge of fields takes each group for one member.</summary>
    public IReadOnlyList<string[]> Groups { get; init; } = [];
}

/// <summary>The one table of entity types. Parsing, merging, pull answers, push statistics and documentation all follow it.</summary>
public static class EntityTypes
{
    public const int NameLengthMax = 64;

    private static readonly string[] Score = ["composer", "scoreComposer", "scoreId", "scoreTitle", "score_id"];
    private static readonly string[] Progress = ["currentValue", "progress", "status", "targetValue"];

    public static readonly EntityType LogbookEntry = new("logbook_entry", "entries") { Groups = [Score] };
    public static readonly EntityType Goal = new("goal", "goals", Times: TimeForm.AsWritten) { Groups = [Progress] };
    public static readonly EntityType RepertoireItem =
        new("repertoire_item", "repertoire", IdSource.Score, TimeForm.AsWritten) { Groups = [Score] };
    public static readonly EntityType PracticePlan = new("practice_plan", "practicePlans");
    public static readonly EntityType PlanOccurrence = new("plan_occurrence", "planOccurrences");
    public static readonly EntityType PlanTemplate = new("plan_template", "planTemplates");
    public static readonly EntityType UserPreferences = new("user_preferences", "preferences", IdSource.User);

    /// <summary>The types that have a member of their own, in the order of the table.</summary>
    public static readonly IReadOnlyList<EntityType> Named =
        [LogbookEntry, Goal, RepertoireItem, PracticePlan, PlanOccurrence, PlanTemplate, UserPreferences];

    private static readonly FrozenDictionary<string, EntityType> ByName = Named.ToFrozenDictionary(t => t.Name);
    private static readonly FrozenDictionary<string, EntityType> ByMember = Named.ToFrozenDictionary(t => t.Member!);

    public static EntityType? FindMember(string member) => ByMember.GetValueOrDefault(member);

    public static bool IsNamed(string name) => ByName.ContainsKey(name);

    /// <summary>
    /// The type of that name; any other lower_snake name is a type of the application's own. Null when the name is neither.
    /// </summary>
    public static EntityType? Find(string name) =>
        ByName.GetValueOrDefault(name) ?? (IsLowerSnake(name) ? new EntityType(name, Member: null) : null);

    private static bool IsLowerSnake(string name) =>
        name is { Length: > 0 and <= NameLengthMax }
        && char.IsAsciiLetterLower(name[0])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_');
}
