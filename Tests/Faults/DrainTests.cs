using System.Diagnostics;
using Mirubato.Tests.Admin;
using Mirubato.Tests.Cli;
using Xunit.Abstractions;

namespace Mirubato.Tests.Faults;

/// <summary>An operator empties a silo with <c>mirubato node drain</c> while everybody works, and stops its process when told to.</summary>
[Collection("alone")]
public sealed class DrainTests(ITestOutputHelper output)
{
    private const int Devices = 200;
    private const int EditMs = 12_000;
    private const int EveryMs = 2_500;
    private const int DrainAtMs = 4_000;

    private long drainedMs;
    private long endedMs;

    [LongFact]
    public async Task A_silo_drained_under_200_devices_loses_and_doubles_nothing_and_its_process_ends_on_request()
    {
        var seed = FaultSettings.Seed;
        output.WriteLine($"seed {seed}");
        await using var cluster = await FaultCluster.Start(hasOperators: true);
        var world = new FaultWorld(seed, cluster.Urls);
        var run = new FaultRun(cluster, world, output);

        await run.Play(FaultSchedule.Edits(seed, Devices, EditMs, EveryMs), Devices, () => Drain(cluster, world));

        var gaps = run.Devices.SelectMany(device => device.GapsMs).Order().ToList();
        output.WriteLine(
            $"empty {drainedMs} ms after the command began, ended {endedMs} ms after SIGTERM; {gaps.Count} reconnects, "
            + $"half within {gaps[gaps.Count / 2]} ms, all within {gaps[^1]} ms");
        Assert.True(
            run.Wrong.Count == 0,
            $"MIRUBATO_SEED={seed}, logs are in {cluster.Logs}. {run.Wrong.Count} things are "
            + $"wrong:\n{string.Join('\n', run.Wrong.Take(25))}\n{cluster.Complaints()}");

        // A third of the devices was there.
        Assert.True(gaps.Count >= Devices / 6, $"Only {gaps.Count} reconnects.");
        cluster.DeleteLogs();
    }

    private async Task Drain(FaultCluster cluster, FaultWorld world)
    {
        await world.At(DrainAtMs);
        var (leaving, asked) = (cluster.Gateways[0], cluster.Gateways[1]);
        var clock = Stopwatch.StartNew();
        var silo = await CommandLine.Json(
            "node", "drain", leaving.SiloAddress, "--yes", "--wait", "120", "--server", $"{asked.Url}", "--secret", AdminServer.Secret);
        drainedMs = clock.ElapsedMilliseconds;
        Assert.True(silo.GetProperty("drained").GetBoolean());
        clock.Restart();
        await leaving.Stop();
        endedMs = clock.ElapsedMilliseconds;
        await leaving.Start();
    }
}
