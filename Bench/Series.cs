using System.Net.Sockets;
using Mirubato.Bench.Http;
using Mirubato.Bench.Load;
using Mirubato.Bench.Reports;

namespace Mirubato.Bench;

/// <summary>One thing to measure, however that is done; it is told a word for each phase it enters.</summary>
internal sealed record Measurement(string Name, Func<Action<string>, CancellationToken, Task<Figures>> Take);

/// <summary>
/// Measurement after measurement, with a bar while it runs and a table at the end, also of what was measured before a failure.
/// </summary>
internal static class Series
{
    /// <exception cref="BenchFailure">A connection broke.</exception>
    public static async Task<Report> Run(
        Report report, Target target, TimeSpan each, IReadOnlyList<Measurement> measurements, CancellationToken cancel)
    {
        try
        {
            await Screen.Progress(each, measurements.Count, async progress =>
            {
                foreach (var measurement in measurements)
                    report.Scenarios.Add(await Take(measurement, target, progress, cancel));
            });
        }
        finally
        {
            if (report.Scenarios.Count > 0)
                FiguresTable.Print(report);
        }

        return report;
    }

    /// <summary>Asked first, so that a wrong URL or secret is one sentence and not a table of errors.</summary>
    /// <exception cref="BenchFailure">The server cannot be reached, or refuses.</exception>
    public static async Task Probe(Target target, Func<Task> probe)
    {
        try
        {
            await probe();
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw BenchFailure.NotReachable(target.Url, e.Message);
        }
    }

    private static async Task<Figures> Take(
        Measurement measurement, Target target, Screen.ScenarioProgress progress, CancellationToken cancel)
    {
        progress.Begin(measurement.Name);
        try
        {
            var figures = await measurement.Take(progress.Phase, cancel);
            progress.End(figures);
            return figures;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw new BenchFailure($"{measurement.Name}: a connection to {target.Url} broke ({e.Message}).");
        }
    }
}
