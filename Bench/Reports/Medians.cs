using Mirubato.Bench.Load;

namespace Mirubato.Bench.Reports;

/// <summary>Several runs as one: on a noisy machine a figure is the middle one of at least three.</summary>
internal static class Medians
{
    /// <param name="runs">At least one. Machine, command and time are the first one's.</param>
    public static Report From(IReadOnlyList<Report> runs) => runs[0] with
    {
        Scenarios =
        [
            .. from figures in runs.SelectMany(run => run.Scenarios)
               group figures by figures.Name into same
               select Of([.. same]),
        ],
    };

    private static Figures Of(IReadOnlyList<Figures> same)
    {
        double Middle(Func<Figures, double> value) => MiddleOf(same.Select(value));
        double? Maybe(Func<Figures, double?> value) =>
            same.Select(value).OfType<double>().ToList() is { Count: > 0 } given ? MiddleOf(given) : null;
        return same[0] with
        {
            Requests = (long)Middle(figures => figures.Requests),
            Seconds = Middle(figures => figures.Seconds),
            PerSecond = Middle(figures => figures.PerSecond),
            MeanMs = Middle(figures => figures.MeanMs),
            P50Ms = Middle(figures => figures.P50Ms),
            P99Ms = Middle(figures => figures.P99Ms),
            MaxMs = Middle(figures => figures.MaxMs),
            ClientCores = Middle(figures => figures.ClientCores),
            ServerCpuUs = Maybe(figures => figures.ServerCpuUs),
            PostgresCpuUs = Maybe(figures => figures.PostgresCpuUs),
            DeliveriesPerSecond = Maybe(figures => figures.DeliveriesPerSecond),
            KiBEach = Maybe(figures => figures.KiBEach),
            Errors = same.Sum(figures => figures.Errors),
            FirstError = same.Select(figures => figures.FirstError).FirstOrDefault(error => error is not null),
        };
    }

    /// <summary>The middle one; of an even number the mean of the two in the middle.</summary>
    public static double MiddleOf(IEnumerable<double> values)
    {
        var ordered = values.Order().ToList();
        return (ordered[(ordered.Count - 1) / 2] + ordered[ordered.Count / 2]) / 2;
    }
}
