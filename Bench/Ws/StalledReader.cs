using Mirubato.Bench.Load;

namespace Mirubato.Bench.Ws;

/// <summary>
/// Ten devices of a user, one of which stops reading, by turns with the same ten all reading. The turns share one run, so that whatever
/// else happens on the machine happens to both. Reported are the others while it is stalled; the note has both.
/// </summary>
internal sealed record StalledReader() : WsScenario("stalled", "fan-out beside a stalled reader")
{
    private const int Devices = 10;
    private const int EventsPerSecond = 200;
    private const int NotesBytes = 8 * 1024;
    private const int Turns = 6;

    // Until the system's buffers are full of what the one does not read; not counted with either.
    private static readonly TimeSpan Lead = TimeSpan.FromSeconds(2.5);

    public override async Task<Figures> Run(WsOptions options, Action<string> phase, CancellationToken cancel)
    {
        phase("warming up");
        var log = new EventLog(
            options.Run, (int)((options.Warmup + (Turns * (Lead + options.Seconds))).TotalSeconds * EventsPerSecond) + 1);
        using var live = await LiveUsers.Open(options, Name, 1, Devices, log, cancel, NotesBytes);
        var devices = live.Users[0];
        await OpenLoop.Run(EventsPerSecond, options.Warmup, devices[0].SendEntry, cancel);
        await live.Settle(cancel);

        phase("measuring");
        var cost = RunCost.Begin(options.Processes);
        var (reading, stalled) = (new Sample(), new Sample());
        for (var turn = 0; turn < Turns; turn++)
            await Turn(options, live, turn % 2 == 0 ? reading : stalled, turn % 2 == 1, cancel);
        await live.Settle(cancel);
        var done = cost();

        var tally = new Tally();
        live.Check(tally);
        return Figures(done, stalled.Latency, devices[0].Sent, 1, 1, tally) with
        {
            DeliveriesPerSecond = live.Received / done.Seconds,
            Note = $"all reading: {reading}; one stalled: {stalled}; ratio {stalled.P99Ms / reading.P99Ms:0.00}",
        };
    }

    private static async Task Turn(WsOptions options, LiveUsers live, Sample into, bool stall, CancellationToken cancel)
    {
        var devices = live.Users[0];
        if (stall)
            devices[^1].Pause();
        await OpenLoop.Run(EventsPerSecond, Lead, devices[0].SendEntry, cancel);
        var others = devices.Skip(1).SkipLast(1).ToList();
        others.ForEach(device => device.StartTiming());
        await OpenLoop.Run(EventsPerSecond, options.Seconds, devices[0].SendEntry, cancel);
        if (options.Processes.Server is { } pid)
            into.MemoryMiB = Math.Max(into.MemoryMiB, new ServerProcess(pid).ResidentKiB() / 1024);
        into.Add(Sum(others.Select(device => device.StopTiming())));
        if (stall)
            devices[^1].Resume();
        await live.Settle(cancel);
    }

    private sealed class Sample
    {
        private readonly List<double> turns = [];

        public Histogram Latency { get; } = new();

        /// <summary>The middle one of the turns' own: one hiccup of the machine is not the stalled reader's doing.</summary>
        public double P99Ms => turns.Order().ElementAt(turns.Count / 2);

        public void Add(Histogram turn)
        {
            Latency.Add(turn);
            turns.Add(turn.PercentileMs(0.99));
        }

        public long MemoryMiB { get; set; }

        public override string ToString() =>
            FormattableString.Invariant($"p50 {Latency.PercentileMs(0.5):0.00} ms, p99 of the middle turn {P99Ms:0.00} ms")
            + (MemoryMiB > 0 ? $", {MemoryMiB} MiB" : "");
    }
}
