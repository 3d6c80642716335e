using Mirubato.Bench.Load;

namespace Mirubato.Tests.Bench;

public sealed class HistogramTests
{
    [Theory]
    [InlineData(0.5, 500)]
    [InlineData(0.99, 990)]
    [InlineData(1, 1000)]
    public void Percentiles_of_one_to_a_thousand_milliseconds_are_exact_to_three_digits(double share, double expectedMs)
    {
        var histogram = new Histogram();
        for (var ms = 1; ms <= 1000; ms++)
            histogram.Record(TimeSpan.FromMilliseconds(ms));

        Assert.InRange(histogram.PercentileMs(share), expectedMs, expectedMs * 1.001);
        Assert.InRange(histogram.MaxMs, 1000, 1001);
        Assert.InRange(histogram.MeanMs, 500.5 * 0.999, 500.5 * 1.001);
    }

    [Fact]
    public void One_slow_request_in_a_hundred_and_one_is_the_maximum_but_not_the_p99()
    {
        var histogram = new Histogram();
        for (var i = 0; i < 100; i++)
            histogram.Record(TimeSpan.FromMilliseconds(1));
        histogram.Record(TimeSpan.FromSeconds(3));

        Assert.InRange(histogram.PercentileMs(0.99), 1, 1.001);
        Assert.InRange(histogram.MaxMs, 3000, 3003);
    }

    [Fact]
    public void A_percentile_never_exceeds_the_maximum()
    {
        var histogram = new Histogram();
        histogram.Record(TimeSpan.FromMilliseconds(1.001));

        Assert.Equal(histogram.MaxMs, histogram.PercentileMs(0.5));
    }

    [Fact]
    public void Workers_histograms_add_up()
    {
        var (fast, slow) = (new Histogram(), new Histogram());
        for (var i = 0; i < 60; i++)
            fast.Record(TimeSpan.FromMilliseconds(1));
        for (var i = 0; i < 40; i++)
            slow.Record(TimeSpan.FromMilliseconds(100));

        fast.Add(slow);

        Assert.Equal(100, fast.Count);
        Assert.InRange(fast.PercentileMs(0.6), 1, 1.001);
        Assert.InRange(fast.PercentileMs(0.61), 100, 100.1);
    }

    [Fact]
    public void Nothing_and_the_impossible_are_recorded_without_harm()
    {
        var histogram = new Histogram();
        Assert.Equal((0, 0, 0, 0), (histogram.Count, histogram.PercentileMs(0.99), histogram.MeanMs, histogram.MaxMs));

        histogram.Record(TimeSpan.FromTicks(-1));
        histogram.Record(TimeSpan.FromDays(365));

        Assert.Equal(2, histogram.Count);
        Assert.InRange(histogram.PercentileMs(1), 600_000, 600_600); // The longest that is counted.
    }
}
