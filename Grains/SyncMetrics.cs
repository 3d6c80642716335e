using System.Diagnostics;
using System.Diagnostics.Metrics;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>The figures of the engine, meter <c>Mirubato.Sync</c>. No tag ever names a user.</summary>
internal sealed class SyncMetrics : IDisposable
{
    public const string MeterName = "Mirubato.Sync";

    private static readonly string[] Outcomes = Words<ItemStatus>();
    private static readonly string[] Refusals = Words<ItemRefusal>();

    private readonly Counter<long> commits;
    private readonly Counter<long> revisions;
    private readonly Counter<long> conflicts;
    private readonly Counter<long> items;
    private readonly Counter<long> itemRefusals;
    private readonly Counter<long> duplicates;
    private readonly Counter<long> clampedClocks;
    private readonly Counter<long> swept;
    private readonly Counter<long> faults;
    private readonly Histogram<double> commitSeconds;
    private readonly Histogram<int> requestsPerCommit;

    /// <param name="scope">Tells the figures of one host in a process from those of another.</param>
    /// <param name="name">Another name keeps figures from whoever listens to the engine's.</param>
    public SyncMetrics(IMeterFactory? scope = null, string name = MeterName)
    {
        Meter = new Meter(new MeterOptions(name) { Scope = scope });
        commits = Meter.CreateCounter<long>("mirubato.sync.commits", "{commit}", "Commits the store has held.");
        revisions = Meter.CreateCounter<long>("mirubato.sync.revisions", "{revision}", "Revisions given out.");
        conflicts = Meter.CreateCounter<long>("mirubato.sync.conflicts", "{document}", "Documents kept in a conflict feed, by reason.");
        items = Meter.CreateCounter<long>("mirubato.sync.items", "{item}", "Items of writes, by what became of them.");
        itemRefusals = Meter.CreateCounter<long>("mirubato.sync.item_refusals", "{item}", "Refused items, by reason.");
        duplicates = Meter.CreateCounter<long>("mirubato.sync.duplicates", "{item}", "Items that brought nothing new, by reason.");
        clampedClocks = Meter.CreateCounter<long>(
            "mirubato.sync.clamped_clocks", "{item}", "Items whose clock was in the future and counted as now, by how far.");
        swept = Meter.CreateCounter<long>("mirubato.sync.swept", "{row}", "Rows that sweeps removed, by step.");
        Replays = Meter.CreateCounter<long>("mirubato.sync.replays", "{request}", "Requests answered from a receipt.");
        FencesLost = Meter.CreateCounter<long>(
            "mirubato.sync.fences_lost", "{commit}", "Commits that found another activation had been first.");
        Reloads = Meter.CreateCounter<long>("mirubato.sync.reloads", "{load}", "Heads of a user read whole from the store.");
        faults = Meter.CreateCounter<long>("mirubato.sync.faults", "{fault}", "Failures of the store, by reason.");
        Confirmations = Meter.CreateCounter<long>(
            "mirubato.sync.confirmations", "{user}", "Users whose state the store was asked to confirm.");
        ObserversLost = Meter.CreateCounter<long>(
            "mirubato.sync.observers_lost", "{observer}", "Processes that were no longer told of a user, because they failed or hung.");
        MergeFallbacks = Meter.CreateCounter<long>(
            "mirubato.sync.merge_fallbacks", "{edit}", "Edits of an older base not merged, because a version was not at hand.");
        commitSeconds = Meter.CreateHistogram<double>(
            "mirubato.sync.commit.duration", "s", "Time in the store per commit.", advice: HistogramBounds.Seconds);
        requestsPerCommit = Meter.CreateHistogram<int>("mirubato.sync.commit.requests", "{request}", "Requests that shared a commit.");
    }

    public Meter Meter { get; }

    public Counter<long> Replays { get; }
    public Counter<long> FencesLost { get; }
    public Counter<long> Reloads { get; }
    public Counter<long> Confirmations { get; }
    public Counter<long> MergeFallbacks { get; }
    public Counter<long> ObserversLost { get; }

    /// <summary>What the coordinators of this silo hold, read when a collector asks.</summary>
    public void Observe(ActiveCoordinators active)
    {
        Meter.CreateObservableGauge(
            "mirubato.sync.coordinators", () => active.Count, "{coordinator}", "Coordinators active in this silo.");
        Meter.CreateObservableGauge(
            "mirubato.sync.connections", () => active.Load().Connections, "{connection}", "Connections that these know, in any process.");
        Meter.CreateObservableGauge("mirubato.sync.heads", () => active.Load().Heads, "{head}", "Heads of entities in memory.");
        Meter.CreateObservableGauge(
            "mirubato.sync.observers", () => active.Load().Observers, "{observer}",
            "Other processes that coordinators here tell, counted once for each user.");
        Meter.CreateObservableGauge(
            "mirubato.sync.queued_writes", () => active.Load().QueuedWrites, "{request}", "Writes that wait for a commit.");
    }

    public void Committed(int requests, Commit commit, long startedAt)
    {
        commits.Add(1);
        revisions.Add(commit.Rows.Count);
        foreach (var (reason, count) in commit.Losers.CountBy(loser => loser.Reason)) conflicts.Add(count, Tag("reason", reason));
        if (commit.Replaced.Count > 0) conflicts.Add(commit.Replaced.Count, Tag("reason", ConflictId.Replaced));
        requestsPerCommit.Record(requests);
        commitSeconds.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds);
    }

    /// <summary>What became of the items of a commit, or of writes that changed nothing.</summary>
    public void Decided(IReadOnlyList<Decision> decisions, long nowMs)
    {
        if (!items.Enabled) return;
        Span<int> outcomes = stackalloc int[Outcomes.Length];
        Span<int> refusals = stackalloc int[Refusals.Length];
        var (twins, ahead, farAhead) = (0, 0, 0);
        foreach (var item in decisions.SelectMany(decision => decision.Items))
        {
            outcomes[(int)item.Status]++;
            if (item.Status is ItemStatus.Refused) refusals[(int)item.Refusal]++;
            if (item.IsTwin) twins++;
            if (item.Item.ClientMs > nowMs + Limits.ClockSetRightMs) farAhead++;
            else if (item.Item.ClientMs > nowMs) ahead++;
        }

        Add(items, "outcome", Outcomes, outcomes);
        Add(itemRefusals, "reason", Refusals, refusals);
        Add(duplicates, "reason", ["same", "twin"], [outcomes[(int)ItemStatus.Unchanged] - twins, twins]);
        Add(clampedClocks, "reason", ["ahead", "far_ahead"], [ahead, farAhead]);
    }

    public void Faulted(string reason) => faults.Add(1, Tag("reason", reason));

    public void Swept(SweepStep step, int rows) => swept.Add(rows, Tag("step", Word(step.ToString())));

    public void Dispose() => Meter.Dispose();

    private static void Add(Counter<long> counter, string name, ReadOnlySpan<string> words, ReadOnlySpan<int> counts)
    {
        for (var i = 0; i < counts.Length; i++)
        {
            if (counts[i] > 0) counter.Add(counts[i], Tag(name, words[i]));
        }
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private static string[] Words<T>()
        where T : struct, Enum => Array.ConvertAll(Enum.GetNames<T>(), Word);

    /// <summary>As the protocol spells it: lower_snake.</summary>
    private static string Word(string name) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
