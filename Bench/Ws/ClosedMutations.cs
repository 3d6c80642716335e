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
        using var crowd = await Crowd.Open(options, $"{Name}_{part}", Accounts, PerUser, log, cancel);
        var taken = Taken.Begin(options.Processes);
        var started = Stopwatch.GetTimestamp();
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var device in crowd.Devices)
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
        await crowd.Settle(cancel);
        var done = taken();

        var deliveries = Sum(crowd.Devices.Select(device => device.Deliveries));
        var tally = new Tally();
        crowd.Check(tally);
        return Figures(done, Sum(crowd.Devices.Select(device => device.Acks)), crowd.Acked, Accounts * PerUser, Accounts, tally) with
        {
            DeliveriesPerSecond = crowd.Received / done.Seconds,
            Note = FormattableString.Invariant(
                $"deliveries p50 {deliveries.PercentileMs(0.5):0.00} ms, p99 {deliveries.PercentileMs(0.99):0.00} ms"),
        };
    }
}
