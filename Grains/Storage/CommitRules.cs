using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

/// <summary>What a commit must be before any store is asked: a breach is a bug in the decision.</summary>
internal static class CommitRules
{
    public static void Check(Commit commit)
    {
        Require(commit.Last.Number >= commit.Expected.Seq.Number, "the head never goes back");
        CheckRows(commit);
        Require(AllDistinct(commit.Receipts, receipt => (receipt.Scope, receipt.Key)), "one receipt per key");
    }

    /// <summary>The first of each id: one statement cannot insert a key twice and a loser folded twice is one row.</summary>
    public static IReadOnlyList<T> Distinct<T>(IReadOnlyList<T> items, Func<T, string> id) =>
        items.Count < 2 ? items : [.. items.DistinctBy(id)];

    private static void CheckRows(Commit commit)
    {
        var previous = commit.Expected.Seq.Number;
        for (var i = 0; i < commit.Rows.Count; i++)
        {
            var seq = commit.Rows[i].Head.Seq.Number;
            Require(seq > previous && seq <= commit.Last.Number, "rows come by revision, after the old head and up to the new one");
            previous = seq;
        }

        Require(AllDistinct(commit.Rows, row => row.Entity), "one row per entity");
        Require(commit.Rows.Count == 0 || previous == commit.Last.Number, "the last row is the new head");
    }

    private static bool AllDistinct<T, TKey>(IReadOnlyList<T> items, Func<T, TKey> key)
    {
        if (items.Count < 2) return true;
        var seen = new HashSet<TKey>(items.Count);
        return items.All(item => seen.Add(key(item)));
    }

    private static void Require(bool holds, string rule)
    {
        if (!holds) throw new ArgumentException($"A commit breaks the rule: {rule}.");
    }
}
