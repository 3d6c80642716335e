using System.Diagnostics;
using Mirubato.Bench.Load;

namespace Mirubato.Bench.Ws;

/// <summary>
/// Every device sends, waits for its acknowledgement and sends again; what it sends reaches every other device of its user.
/// </summary>
internal sealed record ClosedMutations(int PerUser, int Accounts)
    : WsScenario($"closed-{Accounts}x{PerUser}", $"closed loop, {Accounts} × {PerUser} devices")
{
    private const int EventsPerSecondMax = 30_000;

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
        var log = new EventLog(options.Run, (int)((duration.TotalSeconds + 1) * EventsPerSecondMax));
        using var live = await LiveUsers.Open(options, $"{Name}_{part}", Accounts, PerUser, log, cancel);
        var cost = RunCost.Begin(options.Processes);
        var started = Stopwatch.GetTimestamp();
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var device in live.Devices)
        {
            device.OnAck = acked =>
            {
                var elapsed = Stopwatch.GetElapsedTime(started);
                if (elapsed >= duration || FrameBudget.IsUsedUp(acked.Sent, elapsed))
                    over.TrySetResult();
                else if (!over.Task.IsCompleted)
                    acked.SendEntry();
            };
            device.SendEntry();
        }
        await Task.WhenAny(over.Task, Task.Delay(duration, cancel));
        await live.Settle(cancel);
        var done = cost();

        var deliveries = Sum(live.Devices.Select(device => device.Deliveries));
        var tally = new Tally();
        live.Check(tally);
        return Figures(done, Sum(live.Devices.Select(device => device.Acks)), live.Acked, Accounts * PerUser, Accounts, tally) with
        {
            DeliveriesPerSecond = live.Received / done.Seconds,
            Note = FormattableString.Invariant(
                $"deliveries p50 {deliveries.PercentileMs(0.5):0.00} ms, p99 {deliveries.PercentileMs(0.99):0.00} ms"),
        };
    }
}
