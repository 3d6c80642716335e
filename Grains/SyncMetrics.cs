using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Mirubato.Grains;

/// <summary>The figures of the engine, meter <c>Mirubato.Sync</c>. No tag ever names a user.</summary>
internal sealed class SyncMetrics : IDisposable
{
    public const string MeterName = "Mirubato.Sync";

    private readonly Counter<long> commits;
    private readonly Counter<long> revisions;
    private readonly Counter<long> conflicts;
    private readonly Counter<long> faults;
    private readonly Histogram<double> commitSeconds;
    private readonly Histogram<int> requestsPerCommit;

    public SyncMetrics()
    {
        commits = Meter.CreateCounter<long>("mirubato.sync.commits", "{commit}", "Commits the store has held.");
        revisions = Meter.CreateCounter<long>("mirubato.sync.revisions", "{revision}", "Revisions given out.");
        conflicts = Meter.CreateCounter<long>("mirubato.sync.conflicts", "{document}", "Documents kept in a conflict feed.");
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
        commitSeconds = Meter.CreateHistogram<double>("mirubato.sync.commit.duration", "s", "Time in the store per commit.");
        requestsPerCommit = Meter.CreateHistogram<int>("mirubato.sync.commit.requests", "{request}", "Requests that shared a commit.");
    }

    public Meter Meter { get; } = new(MeterName);

    public Counter<long> Replays { get; }
    public Counter<long> FencesLost { get; }
    public Counter<long> Reloads { get; }
    public Counter<long> Confirmations { get; }
    public Counter<long> MergeFallbacks { get; }
    public Counter<long> ObserversLost { get; }

    public void Committed(int requests, int rows, int kept, long startedAt)
    {
        commits.Add(1);
        revisions.Add(rows);
        if (kept > 0) conflicts.Add(kept);
        requestsPerCommit.Record(requests);
        commitSeconds.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds);
    }

    public void Faulted(string reason) => faults.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Dispose() => Meter.Dispose();
}
