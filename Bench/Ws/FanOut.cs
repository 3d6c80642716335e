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
        using var crowd = await Crowd.Open(options, $"{Name}_{part}", 1, Others + 1, log, cancel);
        var sender = crowd.Users[0][0];
        var taken = Taken.Begin(options.Processes);
        await Pace.Keep(EventsPerSecond, duration, sender.SendEntry, cancel);
        await crowd.Settle(cancel);
        var done = taken();
        cancel.ThrowIfCancellationRequested();

        var tally = new Tally();
        crowd.Check(tally);
        return Figures(done, Sum(crowd.Devices.Select(device => device.Deliveries)), sender.Sent, 1, 1, tally) with
        {
            DeliveriesPerSecond = crowd.Received / done.Seconds,
        };
    }
}
