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
    private readonly Counter<long> replays;
    private readonly Counter<long> fencesLost;
    private readonly Counter<long> reloads;
    private readonly Counter<long> faults;
    private readonly Counter<long> confirmations;
    private readonly Counter<long> observersLost;
    private readonly Histogram<double> commitSeconds;
    private readonly Histogram<int> requestsPerCommit;

    public SyncMetrics()
    {
        commits = Meter.CreateCounter<long>("mirubato.sync.commits", "{commit}", "Commits the store has held.");
        revisions = Meter.CreateCounter<long>("mirubato.sync.revisions", "{revision}", "Revisions given out.");
        conflicts = Meter.CreateCounter<long>("mirubato.sync.conflicts", "{document}", "Documents kept in a conflict feed.");
        replays = Meter.CreateCounter<long>("mirubato.sync.replays", "{request}", "Requests answered from a receipt.");
        fencesLost = Meter.CreateCounter<long>("mirubato.sync.fences_lost", "{commit}", "Commits that found another activation had been first.");
        reloads = Meter.CreateCounter<long>("mirubato.sync.reloads", "{load}", "Heads of a user read whole from the store.");
        faults = Meter.CreateCounter<long>("mirubato.sync.faults", "{fault}", "Failures of the store, by reason.");
        confirmations = Meter.CreateCounter<long>("mirubato.sync.confirmations", "{user}", "Users whose state the store was asked to confirm.");
        observersLost = Meter.CreateCounter<long>("mirubato.sync.observers_lost", "{observer}", "Processes that were no longer told of a user, because they failed or hung.");
        commitSeconds = Meter.CreateHistogram<double>("mirubato.sync.commit.duration", "s", "Time in the store per commit.");
        requestsPerCommit = Meter.CreateHistogram<int>("mirubato.sync.commit.requests", "{request}", "Requests that shared a commit.");
    }

    public Meter Meter { get; } = new(MeterName);

    public void Committed(int requests, int rows, int kept, long startedAt)
    {
        commits.Add(1);
        revisions.Add(rows);
        if (kept > 0) conflicts.Add(kept);
        requestsPerCommit.Record(requests);
        commitSeconds.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds);
    }

    public void Replayed() => replays.Add(1);

    public void FenceLost() => fencesLost.Add(1);

    public void Reloaded() => reloads.Add(1);

    public void ConfirmationAsked(int users) => confirmations.Add(users);

    public void ObserverLost() => observersLost.Add(1);

    public void Faulted(string reason) => faults.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Dispose() => Meter.Dispose();
}
