using System.Net.Sockets;
using Mirubato.Bench.Http;
using Mirubato.Bench.Load;
using Mirubato.Bench.Reports;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench;

/// <summary>Scenario after scenario, with a bar while it runs and a table at the end, also of what was measured before a failure.</summary>
internal sealed class HttpRun(HttpOptions options, TimeProvider time)
{
    /// <exception cref="BenchFailure">The server cannot be reached, or refuses the token or the rate.</exception>
    public async Task<Report> Run(IReadOnlyList<Scenario> scenarios, string command, CancellationToken cancel)
    {
        await Knock(cancel);
        var report = new Report(Machine.This(), command, time.GetUtcNow(), options.Seed);
        Screen.Say($"Run {options.Run}, seed {options.Seed}, {options.Target.Url}");
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

    private async Task<Figures> Measure(Scenario scenario, Screen.ScenarioProgress progress, CancellationToken cancel)
    {
        progress.Begin(scenario.Name);
        try
        {
            var figures = await new ClosedLoop(options, scenario, time).Run(progress.Phase, cancel);
            progress.End(figures);
            return figures;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw new BenchFailure($"{scenario.Name}: the connection to {options.Target.Url} broke ({e.Message}).");
        }
    }

    // Asked first, so that a wrong URL or secret is one sentence and not a table of errors.
    private async Task Knock(CancellationToken cancel)
    {
        try
        {
            using var connection = await HttpConnection.Open(options.Target, cancel);
            using var abort = cancel.Register(connection.Dispose);
            var user = new ScenarioUser(
                options.Target, connection, options.Identify("knock", time), new EntryText(options.Run, options.Seed), new Numbers(time));
            await user.Send(user.Status());
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw BenchFailure.NotReachable(options.Target.Url, e.Message);
        }
    }
}
