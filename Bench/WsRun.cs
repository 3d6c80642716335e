using Mirubato.Bench.Reports;
using Mirubato.Bench.Ws;

namespace Mirubato.Bench;

/// <summary>Scenarios over sockets.</summary>
internal sealed class WsRun(WsOptions options)
{
    /// <exception cref="BenchFailure">The server cannot be reached, or refuses the token or the socket.</exception>
    public async Task<Report> Run(IReadOnlyList<WsScenario> scenarios, string command, CancellationToken cancel)
    {
        await Series.Probe(options.Target, () => Probe(cancel));
        Screen.Say(
            $"Run {options.Run}, seed {options.Seed}, {options.Target.Url}{(options.Second is { } second ? $" to {second.Url}" : "")}");
        var report = new Report(Machine.This(), command, options.Time.GetUtcNow(), options.Seed);
        return await Series.Run(report, options.Target, options.Warmup + options.Seconds,
            [.. scenarios.Select(scenario => new Measurement(scenario.Name, (phase, until) => scenario.Run(options, phase,
            until)))], cancel);
    }

    private async Task Probe(CancellationToken cancel)
    {
        using var connection = await WsConnection.Open(UpgradeRequest.Create(options.Target, options.Identify("knock")), cancel);
    }
}
