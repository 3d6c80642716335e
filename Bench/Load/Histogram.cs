using System.Diagnostics;
using System.Numerics;

namespace Mirubato.Bench.Load;

/// <summary>
/// Latencies in log-linear buckets: 64 to each power of two of nanoseconds, so a percentile is at most 1.6 % off
/// and a recording costs one increment, however long the run.
/// </summary>
internal sealed class Histogram
{
    private const int LinearBits = 6;
    private const int Linear = 1 << LinearBits;
    private readonly long[] counts = new long[(64 - LinearBits) * Linear];
    private double sumNanoseconds;
    private long max;

    public long Count { get; private set; }

    public double MaxMs => max / 1e6;

    public double MeanMs => Count == 0 ? 0 : sumNanoseconds / Count / 1e6;

    public void Record(TimeSpan latency) => RecordNanoseconds((long)latency.TotalNanoseconds);

    public void RecordStopwatchTicks(long ticks) =>
        RecordNanoseconds((long)(ticks * (1e9 / Stopwatch.Frequency)));

    /// <summary>The smallest bucket's upper edge that at least this share of the recordings do not exceed.</summary>
    /// <param name="share">From 0 to 1: 0.99 is the p99.</param>
    public double PercentileMs(double share)
    {
        var wanted = Math.Max(1, (long)Math.Ceiling(share * Count));
        long seen = 0;
        for (var bucket = 0; bucket < counts.Length; bucket++)
        {
            seen += counts[bucket];
            if (seen >= wanted)
                return Math.Min(UpperEdge(bucket), max) / 1e6;
        }
        return 0;
    }

    public void Add(Histogram other)
    {
        for (var bucket = 0; bucket < counts.Length; bucket++)
            counts[bucket] += other.counts[bucket];
        Count += other.Count;
        sumNanoseconds += other.sumNanoseconds;
        max = Math.Max(max, other.max);
    }

    private void RecordNanoseconds(long nanoseconds)
    {
        nanoseconds = Math.Max(0, nanoseconds);
        counts[Bucket(nanoseconds)]++;
        Count++;
        sumNanoseconds += nanoseconds;
        max = Math.Max(max, nanoseconds);
    }

    private static int Bucket(long value)
    {
        var shift = Shift(value);
        return (shift * Linear) + (int)(value >> shift);
    }

    // Values below 128 stand for themselves in the first two rows; each further row halves the resolution.
    private static int Shift(long value) => Math.Max(0, BitOperations.Log2((ulong)value | 1) - LinearBits);

    private static long UpperEdge(int bucket)
    {
        var shift = Math.Max(0, (bucket / Linear) - 1);
        var mantissa = bucket - (shift * Linear);
        return ((long)(mantissa + 1) << shift) - 1;
    }
}
