namespace Mirubato.Gateway.WebApp;

/// <summary>What sums and suggestions look at in an entry, without what is longer than an id or a name can be.</summary>
/// <param name="ScoreId">In Unicode's composed form, to be compared.</param>
internal sealed record EntryFacts(
    string Id, string? ScoreId, long? PlayedMs, double Duration, IReadOnlyList<string> GoalIds, IReadOnlyList<PieceName> Names)
{
    private const int BytesAtLeast = 200;

    /// <summary>About the memory it takes; texts that it shares with others counted in full.</summary>
    public int Bytes =>
        BytesAtLeast + (
            sizeof(char) * (
                Id.Length + (ScoreId?.Length ?? 0) + GoalIds.Sum(id => id.Length) + Names.Sum(
                    name => name.Title.Length + (name.Composer?.Length ?? 0))))
        + (32 * (GoalIds.Count + Names.Count));

    public static EntryFacts Parse(StoredRow row)
    {
        var entry = new LogbookEntry(JsonMembers.ParseStored(row.Data));
        return new EntryFacts(
            row.Entity.Id,
            FindId(entry.ScoreId) is { } scoreId ? Nfc.Compose(scoreId) : null,
            entry.PlayedMs,
            entry.Duration,
            [.. entry.GoalIds.Select(FindId).OfType<string>().Distinct()],
            [.. entry.Names.Where(name => IsName(name.Title))
                .Select(name => IsName(name.Composer) ? name : name with { Composer = null })]);
    }

    private static string? FindId(string? text) => text?.Length <= UsableId.UnitsMax ? text : null;

    private static bool IsName(string? text) => text?.Length <= Suggestions.NameUnitsMax;
}
