using System.Diagnostics;
using Mirubato.Bench.Load;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Ws;

/// <summary>Many connections at once, from the first connect to the last welcome, again and again: a server that just came back.</summary>
internal sealed record Openings(int AtOnce) : WsScenario($"open-{AtOnce}", $"open {AtOnce} at once, to the last welcome")
{
    private const int PerUser = 10;

    // The server is to have seen the last of one round's sockets before the next asks for their users' places.
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    public override async Task<Figures> Run(WsOptions options, Action<string> phase, CancellationToken cancel)
    {
        var upgrades = Upgrades(options);
        phase("warming up");
        await Rounds(upgrades, options.Warmup, cancel);
        GC.Collect();
        phase("measuring");
        var cost = RunCost.Begin(options.Processes);
        var (rounds, tally) = await Rounds(upgrades, options.Seconds, cancel);
        var opened = rounds.Count * AtOnce;
        var busy = rounds.MeanMs * rounds.Count / 1000;
        return Figures(cost() with { Seconds = busy }, rounds, opened, AtOnce, upgrades[0].Count / PerUser, tally);
    }

    // Two sets by turns: a user's places are free again a little after its sockets are gone.
    private List<List<UpgradeRequest>> Upgrades(WsOptions options) =>
        [.. Enumerable.Range(0, 2).Select(set => Enumerable.Range(0, AtOnce)
            .Select(place => UpgradeRequest.Create(options.Target, options.Identify($"{Name}_{set}_{place / PerUser:D4}"))).ToList())];

    private static async Task<(Histogram Rounds, Tally Tally)> Rounds(
        List<List<UpgradeRequest>> upgrades, TimeSpan duration, CancellationToken cancel)
    {
        var rounds = new Histogram();
        var tally = new Tally();
        var began = Stopwatch.GetTimestamp();
        for (var round = 0; Stopwatch.GetElapsedTime(began) < duration; round++)
        {
            var devices = upgrades[round % 2].ConvertAll(
                upgrade => new Device(upgrade, new EventLog("", 0), new RequestTemplate([], 0, Slots.None)));
            try
            {
                var started = Stopwatch.GetTimestamp();
                await Task.WhenAll(devices.Select(device => device.Open(cancel)));
                rounds.RecordStopwatchTicks(Stopwatch.GetTimestamp() - started);
                devices.ForEach(device => { if (device.Fault is { } fault) tally.Fail(fault); });
            }
            finally
            {
                devices.ForEach(device => device.Dispose());
            }
            await Task.Delay(Between, cancel);
        }
        return (rounds, tally);
    }
}
