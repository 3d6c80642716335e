using Mirubato.Gateway.Admin;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Admin;

/// <summary>Sums, rates and quantiles of several silos.</summary>
public sealed class FiguresTests
{
    [Theory]
    [InlineData(0.5, 0.001)]
    [InlineData(0.25, 0.00075)]
    [InlineData(1, 30)]
    [InlineData(0.75, 0.0025)]
    public void A_quantile_lies_in_its_bucket(double share, double seconds)
    {
        // 100 between 0.5 and 1 ms, 50 up to 2.5 ms, 50 beyond the last bound.
        var counts = Counts((1, 100), (2, 50), (15, 50));

        Assert.Equal(seconds, Figures.Quantile(counts, share), 9);
    }

    [Fact]
    public void Silos_are_added_before_a_quantile_is_taken()
    {
        var sum = Figures.Sum([Silo(Counts((1, 99)), commits: 99), Silo(Counts((9, 1)), commits: 1)]);

        Assert.Equal((2, 20.0), (sum.Sockets, sum.CommitsPerSecond));
        Assert.Equal(20, sum.Latency["push"].PerSecond);
        Assert.InRange(sum.Latency["push"].P99, 0.0005, 0.001);
        Assert.Equal(20, sum.OperationsPerSecond);
    }

    [Fact]
    public void A_silo_that_counts_otherwise_or_not_at_all_spoils_nothing()
    {
        var sum = Figures.Sum([Silo(Counts((1, 10)), commits: 10), Silo([1, 2, 3], commits: 5) with { }, Quiet()]);

        Assert.InRange(sum.Latency["push"].P99, 0.0005, 0.001);
        Assert.Equal(3, sum.CommitsPerSecond);
    }

    private static List<long> Counts(params (int Bucket, long Count)[] some)
    {
        var counts = new long[HistogramBounds.Seconds.HistogramBucketBoundaries!.Count + 1];
        foreach (var (bucket, count) in some) counts[bucket] = count;
        return [.. counts];
    }

    private static SiloReport Silo(List<long> pushes, long commits) => new(
        "one", false, 1, 1, 1, 0, 0,
        new ProcessReport("1", 0, null, 1, 1, 0.5, 5, new() { ["commits"] = commits }, new() { ["push"] = pushes }));

    private static SiloReport Quiet() => new("two", false, 0, 0, 0, 0, 0, new ProcessReport("1", 0, null, 0, 1, 0, 0, [], []));
}
