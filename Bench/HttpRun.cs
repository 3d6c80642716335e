using Mirubato.Bench.Http;
using Mirubato.Bench.Load;
using Mirubato.Bench.Reports;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench;

/// <summary>Scenarios over HTTP, each in a closed loop.</summary>
internal sealed class HttpRun(HttpOptions options, TimeProvider time)
{
    /// <exception cref="BenchFailure">The server cannot be reached, or refuses the token or the rate.</exception>
    public async Task<Report> Run(IReadOnlyList<Scenario> scenarios, string command, CancellationToken cancel)
    {
        await Series.Probe(options.Target, () => Probe(cancel));
        Screen.Say($"Run {options.Run}, seed {options.Seed}, {options.Target.Url}");
        var report = new Report(Machine.This(), command, time.GetUtcNow(), options.Seed);
        return await Series.Run(report, options.Target, options.Warmup + options.Seconds,
            [.. scenarios.Select(scenario => new Measurement(scenario.Name, new ClosedLoop(options, scenario, time).Run))], cancel);
    }

    private async Task Probe(CancellationToken cancel)
    {
        using var connection = await HttpConnection.Open(options.Target, cancel);
        using var abort = cancel.Register(connection.Dispose);
        var user = new ScenarioUser(
            options.Target, connection, options.Identify("knock", time), new EntryText(options.Run, options.Seed), new Numbers(time));
        await user.Send(user.Status());
    }
}
