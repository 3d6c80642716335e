using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Mirubato.Gateway.Admin;

/// <summary>What happened in this process within a window of about ten seconds.</summary>
/// <param name="Seconds">How long the window was; 0: nothing was counted yet.</param>
internal sealed record FiguresWindow(
    double Seconds, double CpuCores, Dictionary<string, long> Counts, Dictionary<string, List<long>> Latencies);

/// <summary>
/// Counts, for operators who look now, what the product's own meters count for collectors who look every minute. It keeps a snapshot of
/// each of the last ten seconds; what it tells is the difference between the oldest and now.
/// </summary>
internal sealed class RecentFigures : IDisposable
{
    private const int WindowSeconds = 10;

    private static readonly Dictionary<string, string> Counters = new()
    {
        ["mirubato.sync.commits"] = "commits",
        ["mirubato.sync.revisions"] = "revisions",
        ["mirubato.sync.conflicts"] = "conflicts",
        ["mirubato.sync.replays"] = "replays",
        ["mirubato.sync.faults"] = "faults",
        ["mirubato.gateway.store_failures"] = "faults",
        ["mirubato.gateway.refusals"] = "refusals",
    };

    /// <summary>The operation of a histogram; empty: its tag names it.</summary>
    private static readonly Dictionary<string, string> Histograms = new()
    {
        ["mirubato.sync.commit.duration"] = "commit",
        ["mirubato.gateway.fan_out.duration"] = "fan_out",
        ["mirubato.gateway.operation.duration"] = "",
    };

    private static readonly double[] Bounds = [.. HistogramBounds.Seconds.HistogramBucketBoundaries!];

    private readonly ConcurrentDictionary<string, long[]> counts = new();
    private readonly ConcurrentDictionary<string, long[]> latencies = new();
    private readonly Lock gate = new();
    private readonly Queue<Snapshot> window = new();
    private readonly MeterListener listener = new();
    private readonly TimeProvider time;
    private readonly ITimer timer;

    /// <param name="host">Made the meters that are meant: a process of tests has several hosts.</param>
    /// <param name="time">Sets the pace.</param>
    public RecentFigures(IMeterFactory host, [FromKeyedServices(ServerClock.Key)] TimeProvider time)
    {
        this.time = time;
        listener.InstrumentPublished = (instrument, one) =>
        {
            if (!ReferenceEquals(instrument.Meter.Scope, host)) return;
            if (Counters.ContainsKey(instrument.Name) || Histograms.ContainsKey(instrument.Name)) one.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Count(Counters[instrument.Name], value));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Time(Histograms[instrument.Name], tags, value));
        listener.Start();
        window.Enqueue(Take());
        timer = time.CreateTimer(_ => Turn(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    public FiguresWindow Read()
    {
        var now = Take();
        lock (gate)
        {
            var before = window.Peek();
            var seconds = time.GetElapsedTime(before.Timestamp, now.Timestamp).TotalSeconds;
            if (seconds <= 0) return new FiguresWindow(0, 0, [], []);
            return new FiguresWindow(
                seconds, (now.Cpu - before.Cpu).TotalSeconds / seconds,
                now.Counts.ToDictionary(pair => pair.Key, pair => pair.Value - before.Counts.GetValueOrDefault(pair.Key)),
                now.Latencies.ToDictionary(pair => pair.Key, pair => Subtract(pair.Value, before.Latencies.GetValueOrDefault(pair.Key))));
        }
    }

    public void Dispose()
    {
        timer.Dispose();
        listener.Dispose();
    }

    private void Turn()
    {
        lock (gate)
        {
            window.Enqueue(Take());
            if (window.Count > WindowSeconds) window.Dequeue();
        }
    }

    private Snapshot Take() => new(
        time.GetTimestamp(),
        Environment.CpuUsage.TotalTime,
        counts.ToDictionary(pair => pair.Key, pair => Volatile.Read(ref pair.Value[0])),
        latencies.ToDictionary(pair => pair.Key, pair => (long[])pair.Value.Clone()));

    private void Count(string figure, long value) => Interlocked.Add(ref counts.GetOrAdd(figure, _ => new long[1])[0], value);

    private void Time(string operation, ReadOnlySpan<KeyValuePair<string, object?>> tags, double seconds)
    {
        if (operation.Length == 0) operation = tags.Length > 0 && tags[0].Value is string named ? named : "other";
        var at = Array.BinarySearch(Bounds, seconds);
        Interlocked.Increment(ref latencies.GetOrAdd(operation, _ => new long[Bounds.Length + 1])[at < 0 ? ~at : at]);
    }

    private static List<long> Subtract(long[] now, long[]? before) => [.. now.Select((count, i) => count - (before?[i] ?? 0))];

    private sealed record Snapshot(long Timestamp, TimeSpan Cpu, Dictionary<string, long> Counts, Dictionary<string, long[]> Latencies);
}
