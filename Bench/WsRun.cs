using System.Net.Sockets;
using Mirubato.Bench.Load;
using Mirubato.Bench.Reports;
using Mirubato.Bench.Ws;

namespace Mirubato.Bench;

/// <summary>Scenario after scenario over sockets, as <see cref="HttpRun"/> does it over HTTP.</summary>
internal sealed class WsRun(WsOptions options)
{
    /// <exception cref="BenchFailure">The server cannot be reached, or refuses the token or the socket.</exception>
    public async Task<Report> Run(IReadOnlyList<WsScenario> scenarios, string command, CancellationToken cancel)
    {
        await Knock(cancel);
        var report = new Report(Machine.This(), command, options.Time.GetUtcNow(), options.Seed);
        Screen.Say($"Run {options.Run}, seed {options.Seed}, {options.Target.Url}{(options.Second is { } second ? $" to {second.Url}" : "")}");
        try
        {
            await Screen.Progress(options.Warmup + options.Seconds, scenarios.Count, async progress =>
            {
                foreach (var scenario in scenarios)
                    report.Scenarios.Add(await Measure(scenario, progress, cancel));
            });
        }
        finally
        {
            if (report.Scenarios.Count > 0)
                FiguresTable.Print(report);
        }
        return report;
    }

    private async Task<Figures> Measure(WsScenario scenario, Screen.ScenarioProgress progress, CancellationToken cancel)
    {
        progress.Begin(scenario.Name);
        try
        {
            var figures = await scenario.Run(options, progress.Phase, cancel);
            progress.End(figures);
            return figures;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw new BenchFailure($"{scenario.Name}: a connection to {options.Target.Url} broke ({e.Message}).");
        }
    }

    // Asked first, so that a wrong URL or secret is one sentence and not a table of errors.
    private async Task Knock(CancellationToken cancel)
    {
        try
        {
            using var connection = await WsConnection.Open(Door.Of(options.Target, options.Identify("knock")), cancel);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw BenchFailure.NotReachable(options.Target.Url, e.Message);
        }
    }
}
