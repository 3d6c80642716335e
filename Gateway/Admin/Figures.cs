namespace Mirubato.Gateway.Admin;

/// <summary>Turns what silos counted into what an operator reads: sums, rates and quantiles.</summary>
internal static class Figures
{
    private static readonly double[] Bounds = [.. HistogramBounds.Seconds.HistogramBucketBoundaries!];

    /// <summary>These are steps of the other operations.</summary>
    private static readonly string[] Steps = ["commit", "fan_out"];

    public static SiloFigures Sum(IReadOnlyCollection<SiloReport> silos)
    {
        var latency = Latency(silos);
        return new SiloFigures(
            silos.Sum(silo => silo.Process.Sockets), silos.Sum(silo => silo.Coordinators), silos.Sum(silo => silo.Connections),
            silos.Sum(silo => silo.Heads), silos.Sum(silo => silo.Observers), silos.Sum(silo => silo.QueuedWrites),
            silos.Sum(silo => silo.Process.MemoryBytes), Round(silos.Sum(silo => silo.Process.CpuCores)))
        {
            OperationsPerSecond = Round(latency.Where(one => !Steps.Contains(one.Key)).Sum(one => one.Value.PerSecond)),
            CommitsPerSecond = Rate(silos, "commits"),
            RevisionsPerSecond = Rate(silos, "revisions"),
            ConflictsPerSecond = Rate(silos, "conflicts"),
            ReplaysPerSecond = Rate(silos, "replays"),
            RefusalsPerSecond = Rate(silos, "refusals"),
            FaultsPerSecond = Rate(silos, "faults"),
            Latency = latency,
        };
    }

    /// <summary>
    /// The value below which a share of what was counted lies. Within its bucket it is interpolated; beyond the last bound it is that
    /// bound.
    /// </summary>
    /// <param name="counts">One for each bound, and one for what is beyond.</param>
    /// <param name="share">0 to 1.</param>
    public static double Quantile(IReadOnlyList<long> counts, double share)
    {
        var (rank, below) = (share * counts.Sum(), 0L);
        for (var i = 0; i < Bounds.Length; i++)
        {
            if (counts[i] > 0 && below + counts[i] >= rank)
            {
                var lower = i == 0 ? 0 : Bounds[i - 1];
                return lower + ((Bounds[i] - lower) * (rank - below) / counts[i]);
            }
            below += counts[i];
        }

        return Bounds[^1];
    }

    private static SortedDictionary<string, LatencyFigures> Latency(IReadOnlyCollection<SiloReport> silos)
    {
        var found = new SortedDictionary<string, LatencyFigures>(StringComparer.Ordinal);
        foreach (var operation in silos.SelectMany(silo => silo.Process.Latencies.Keys).Distinct())
        {
            var parts = silos.Where(silo => silo.Process.Latencies.ContainsKey(operation)).ToList();
            var counts = new long[Bounds.Length + 1];
            foreach (var part in parts)
            {
                // A silo of another release may have other bounds.
                if (part.Process.Latencies[operation] is { } more && more.Count == counts.Length)
                    for (var i = 0; i < counts.Length; i++) counts[i] += more[i];
            }

            if (counts.Sum() == 0) continue;
            var rate = parts.Sum(part => PerSecond(part, part.Process.Latencies[operation].Sum()));
            found[operation] = new LatencyFigures(Round(rate), Exact(Quantile(counts, 0.5)), Exact(Quantile(counts, 0.99)));
        }

        return found;
    }

    private static double Rate(IEnumerable<SiloReport> silos, string figure) =>
        Round(silos.Sum(silo => PerSecond(silo, silo.Process.Counts.GetValueOrDefault(figure))));

    private static double PerSecond(SiloReport silo, long count) => silo.Process.Seconds > 0 ? count / silo.Process.Seconds : 0;

    private static double Round(double value) => Math.Round(value, 2);

    private static double Exact(double seconds) => Math.Round(seconds, 6);
}
