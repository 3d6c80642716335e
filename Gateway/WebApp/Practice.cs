namespace Mirubato.Gateway.WebApp;

/// <summary>What a user's entries of one piece, or for one goal, add up to.</summary>
internal sealed class Practice
{
    private double sum;

    public int Count { get; private set; }

    /// <summary>Null where the durations add up to more than a number can be.</summary>
    public double? Total => double.IsFinite(sum) ? sum : null;

    public long? FirstMs { get; private set; }

    public long? LastMs { get; private set; }

    public double? Average => Count == 0 ? 0 : Total / Count;

    public static Practice From(IEnumerable<EntryFacts> entries)
    {
        var practice = new Practice();
        foreach (var entry in entries) practice.Add(entry);
        return practice;
    }

    public void Add(EntryFacts entry)
    {
        Count++;
        sum += entry.Duration;
        if (entry.PlayedMs is not { } ms) return;
        FirstMs = Math.Min(FirstMs ?? ms, ms);
        LastMs = Math.Max(LastMs ?? ms, ms);
    }
}
