using System.Diagnostics.Metrics;

namespace Mirubato.Grains.Interfaces;

/// <summary>
/// Bounds of histogram buckets: OpenTelemetry's own begin at 5 ms, which is more than most operations here take.
/// </summary>
public static class HistogramBounds
{
    /// <summary>From half a millisecond to half a minute.</summary>
    public static InstrumentAdvice<double> Seconds { get; } = new()
    {
        HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    /// <summary>From a second to a month, for what waits on a device.</summary>
    public static InstrumentAdvice<double> Ages { get; } = new()
    {
        HistogramBucketBoundaries = [1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400, 604_800, 2_592_000],
    };
}
