using Mirubato.Bench.Load;

namespace Mirubato.Bench.Ws;

/// <summary>One device of a user sends at a fixed rate; how long does it take to each of the others?</summary>
internal sealed record FanOut(int Others, int EventsPerSecond)
    : WsScenario($"fanout-{Others}-{EventsPerSecond}", $"fan-out to {Others}, {EventsPerSecond} events/s")
{
    public override bool IsFanOut => true;

    public override async Task<Figures> Run(WsOptions options, Action<string> phase, CancellationToken cancel)
    {
        phase("warming up");
        if (options.Warmup > TimeSpan.Zero)
            await Measure(options, "w", options.Warmup, cancel);
        GC.Collect();
        phase("measuring");
        return await Measure(options, "m", options.Seconds, cancel);
    }

    private async Task<Figures> Measure(WsOptions options, string part, TimeSpan duration, CancellationToken cancel)
    {
        duration = duration < FrameBudget.Lasts(EventsPerSecond) ? duration : FrameBudget.Lasts(EventsPerSecond);
        var log = new EventLog(options.Run, (int)(duration.TotalSeconds * EventsPerSecond) + 1);
        using var live = await LiveUsers.Open(options, $"{Name}_{part}", 1, Others + 1, log, cancel);
        var sender = live.Users[0][0];
        var cost = RunCost.Begin(options.Processes);
        await OpenLoop.Run(EventsPerSecond, duration, sender.SendEntry, cancel);
        await live.Settle(cancel);
        var done = cost();
        cancel.ThrowIfCancellationRequested();

        var tally = new Tally();
        live.Check(tally);
        return Figures(done, Sum(live.Devices.Select(device => device.Deliveries)), sender.Sent, 1, 1, tally) with
        {
            DeliveriesPerSecond = live.Received / done.Seconds,
        };
    }
}
