namespace Mirubato.Gateway.WebApp;

/// <summary>
/// Distinct names that match a text, and which of them fit it best: the whole name, its beginning, the beginning of a word, any part. They
/// are compared in Unicode's composed form and told as they were first written.
/// </summary>
internal sealed class Suggestions(string asked)
{
    /// <summary>Longer ones are no names, and more of them are no help.</summary>
    public const int NameUnitsMax = 300;
    public const int NamesMax = 10_000;

    private readonly string text = Nfc.Compose(asked);
    private readonly Dictionary<string, Found> found = new(StringComparer.OrdinalIgnoreCase);

    public int Count => found.Count;

    public void Add(string? name, string? composer)
    {
        if (name is null
            || name.Length > NameUnitsMax
            || Nfc.Compose(name) is var composed && !composed.Contains(text, StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        // One title by two composers is two pieces; the first spelling of a name is kept.
        var by = composer is { Length: <= NameUnitsMax } ? composer : null;
        var key = $"{composed}\n{Nfc.Compose(by ?? "")}";
        if (found.TryGetValue(key, out var known)) known.Count++;
        else if (found.Count < NamesMax) found[key] = new Found(name, by, Rank(composed));
    }

    public IReadOnlyList<Suggestion> Best(int limit) =>
    [
        .. found.Values
            .OrderBy(one => one.Rank).ThenByDescending(one => one.Count)
            .ThenBy(one => one.Name, StringComparer.OrdinalIgnoreCase).ThenBy(one => one.Composer, StringComparer.OrdinalIgnoreCase)
            .Take(limit)
            .Select(
                one => new Suggestion(one.Name, one.Name, one.Count, one.Composer is null ? null : new SuggestionMetadata(one.Composer))),
    ];

    private int Rank(string name)
    {
        if (text.Length == 0 || name.Equals(text, StringComparison.OrdinalIgnoreCase)) return 0;
        for (
            var at = name.IndexOf(text, StringComparison.OrdinalIgnoreCase); at >= 0; at = name.IndexOf(
                text, at + 1, StringComparison.OrdinalIgnoreCase))
        {
            if (at == 0) return 1;
            if (!char.IsLetterOrDigit(name[at - 1])) return 2;
        }

        return 3;
    }

    private sealed class Found(string name, string? composer, int rank)
    {
        public string Name => name;
        public string? Composer => composer;
        public int Rank => rank;
        public int Count { get; set; } = 1;
    }
}
