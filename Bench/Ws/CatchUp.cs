using System.Diagnostics;
using Mirubato.Bench.Http;
using Mirubato.Bench.Load;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Ws;

/// <summary>A device that has nothing asks for everything: from its request to the frame that says it has it.</summary>
internal sealed record CatchUp(int Entities) : WsScenario($"catchup-{Entities}", $"catch-up of {Entities:N0} entities")
{
    private const int PerPush = 500;

    public override async Task<Figures> Run(WsOptions options, Action<string> phase, CancellationToken cancel)
    {
        phase("preparing");
        var identity = options.Identify(Name);
        await Fill(options, identity, cancel);
        phase("warming up");
        await Rounds(options, identity, options.Warmup, cancel);
        GC.Collect();
        phase("measuring");
        var cost = RunCost.Begin(options.Processes);
        var (rounds, frames, tally) = await Rounds(options, identity, options.Seconds, cancel);
        return Figures(cost(), rounds, rounds.Count, 1, 1, tally) with { OneAtATime = true, Note = $"{frames} frames each" };
    }

    private async Task Fill(WsOptions options, Identity identity, CancellationToken cancel)
    {
        using var connection = await HttpConnection.Open(options.Target, cancel);
        using var abort = cancel.Register(connection.Dispose);
        var user = new ScenarioUser(
            options.Target, connection, identity, new EntryText(options.Run, options.Seed), new Numbers(options.Time));
        for (var pushed = 0; pushed < Entities; pushed += PerPush)
            await user.Send(user.Push(PerPush));
    }

    private async Task<(Histogram Rounds, long Frames, Tally Tally)> Rounds(
        WsOptions options, Identity identity, TimeSpan duration, CancellationToken cancel)
    {
        var rounds = new Histogram();
        var tally = new Tally();
        long frames = 0;
        var began = Stopwatch.GetTimestamp();
        do
        {
            using var device = new Device(
                UpgradeRequest.Create(options.Target, identity), new EventLog(options.Run, 0), new RequestTemplate([], 0, Slots.None));
            await device.Open(cancel);
            var started = Stopwatch.GetTimestamp();
            await device.Sync(0, cancel);
            rounds.RecordStopwatchTicks(Stopwatch.GetTimestamp() - started);
            frames = device.Frames - 1;
            if (device.Fault is { } fault)
                tally.Fail(fault);
            else if (device.Received != Entities || device.Cursor != Entities)
                tally.Fail($"{device.Received} entities came, up to {device.Cursor}, instead of {Entities}.");
        }
        while (Stopwatch.GetElapsedTime(began) < duration);
        return (rounds, frames, tally);
    }
}
