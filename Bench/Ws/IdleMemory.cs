using System.Diagnostics;
using System.Net;
using Mirubato.Bench.Load;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Ws;

/// <summary>How much the server's process grows by connections that just stay: one a user, live, answering pings.</summary>
internal sealed record IdleMemory(int Connections) : WsScenario($"idle-{Connections}", $"{Connections:N0} idle connections")
{
    private const int AtOnce = 50;
    private const int PerAddress = 5_000;
    // A server may tidy up once it has fallen quiet.
    private static readonly TimeSpan SettleAtLeast = TimeSpan.FromSeconds(45);

    public override bool ReadsMemory => true;

    public override async Task<Figures> Run(WsOptions options, Action<string> phase, CancellationToken cancel)
    {
        var server = new ServerProcess(options.Processes.Server ?? throw new BenchFailure($"{Name} needs --pid <the server's process>."));
        phase("preparing");
        var devices = Enumerable.Range(0, Connections).Select(place => Make(options, place)).ToList();
        try
        {
            await Open(
                Enumerable.Range(Connections, AtOnce * 4).Select(place => Make(options, place)).ToList(), new Histogram(),
                thenClose: true, cancel);
            await Rest(options, cancel);
            var before = server.ResidentKiB();
            phase("measuring");
            var cost = RunCost.Begin(options.Processes);
            var latency = new Histogram();
            await Open(devices, latency, thenClose: false, cancel);
            var done = cost();
            var opened = server.ResidentKiB();
            await Rest(options, cancel);
            var after = server.ResidentKiB();

            var tally = new Tally();
            foreach (var device in devices.Where(device => device.Fault is not null))
                tally.Fail(device.Fault!);
            return Figures(done, latency, Connections, AtOnce, Connections, tally) with
            {
                KiBEach = (double)(after - before) / Connections,
                Note = FormattableString.Invariant(
                    $"{before / 1024} MiB before, {opened / 1024} when opened, {after / 1024} after {Settle(options).TotalSeconds:0} s"),
            };
        }
        finally
        {
            devices.ForEach(device => device.Dispose());
        }
    }

    private Device Make(WsOptions options, int place)
    {
        var from = new IPAddress([127, 0, 0, (byte)(1 + (place / PerAddress))]);
        var upgrade = UpgradeRequest.Create(
            options.Target, options.Identify($"{Name}_{place:D5}"), options.Target.IsLoopback4 ? from : null);
        return new Device(upgrade, new EventLog("", 0), new RequestTemplate([], 0, Slots.None));
    }

    private static async Task Open(List<Device> devices, Histogram latency, bool thenClose, CancellationToken cancel)
    {
        foreach (var some in devices.Chunk(AtOnce))
        {
            await Task.WhenAll(some.Select(async device =>
            {
                var started = Stopwatch.GetTimestamp();
                await device.Open(cancel);
                await device.Sync(0, cancel);
                lock (latency) latency.RecordStopwatchTicks(Stopwatch.GetTimestamp() - started);
            }));
            if (!thenClose)
                continue;
            foreach (var device in some)
                device.Dispose();
        }
    }

    private static TimeSpan Settle(WsOptions options) => options.Seconds < SettleAtLeast ? SettleAtLeast : options.Seconds;

    private static Task Rest(WsOptions options, CancellationToken cancel) => Task.Delay(Settle(options), cancel);
}
