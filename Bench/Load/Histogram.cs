using System.Diagnostics;
using HdrHistogram;

namespace Mirubato.Bench.Load;

/// <summary>
/// Latencies to three digits, up to ten minutes: past half an hour HdrHistogram 2.5.0 computes the edges of its buckets wrong.
/// The counts are allocated by the first recording, because ten thousand idle connections have histograms that stay empty.
/// </summary>
internal sealed class Histogram
{
    private const int Digits = 3;
    private const long NanosecondsMin = 1_000;
    private const long NanosecondsMax = 600_000_000_000;
    private const double NanosecondsPerMs = 1e6;
    private LongHistogram? counts;

    public long Count => counts?.TotalCount ?? 0;

    public double MaxMs => (counts?.GetMaxValue() ?? 0) / NanosecondsPerMs;

    public double MeanMs => (counts?.GetMean() ?? 0) / NanosecondsPerMs;

    public void Record(TimeSpan latency) => RecordNanoseconds(latency.TotalNanoseconds);

    public void RecordStopwatchTicks(long ticks) => RecordNanoseconds(ticks * (1e9 / Stopwatch.Frequency));

    /// <param name="share">From 0 to 1: 0.99 is the p99.</param>
    public double PercentileMs(double share) => (counts?.GetValueAtPercentile(share * 100) ?? 0) / NanosecondsPerMs;

    public void Add(Histogram other)
    {
        if (other.counts is { } more)
            Counts().Add(more);
    }

    private void RecordNanoseconds(double nanoseconds) => Counts().RecordValue((long)Math.Clamp(nanoseconds, 0, NanosecondsMax));

    private LongHistogram Counts() => counts ??= new LongHistogram(NanosecondsMin, NanosecondsMax, Digits);
}
