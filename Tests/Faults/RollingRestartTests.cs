using Xunit.Abstractions;

namespace Mirubato.Tests.Faults;

/// <summary>A new version comes: each silo is told to stop and started again, one after the other, under everybody.</summary>
[Collection("alone")]
public sealed class RollingRestartTests(ITestOutputHelper output)
{
    private const int Devices = 200;
    private const int EditMs = 12_000;
    private const int EveryMs = 2_500;
    private const long ReconnectedWithinMs = 5_000;

    [LongFact]
    public async Task Three_silos_restarted_under_200_devices_lose_and_double_nothing_and_all_are_back_within_five_seconds()
    {
        var seed = FaultSettings.Seed;
        output.WriteLine($"seed {seed}");
        await using var cluster = await FaultCluster.Start();
        var run = new FaultRun(cluster, new FaultWorld(seed, cluster.Urls), output);
        await run.Play(FaultSchedule.Edits(seed, Devices, EditMs, EveryMs), Devices, () => RestartEach(cluster));

        var gaps = run.Devices.SelectMany(device => device.GapsMs).Order().ToList();
        output.WriteLine($"{gaps.Count} reconnects, half within {gaps[gaps.Count / 2]} ms, all within {gaps[^1]} ms");
        Assert.True(
            run.Wrong.Count == 0,
            $"MIRUBATO_SEED={seed}, logs are in {cluster.Logs}. {run.Wrong.Count} things are "
            + $"wrong:\n{string.Join('\n', run.Wrong.Take(25))}\n{cluster.Complaints()}");
        Assert.True(gaps[^1] <= ReconnectedWithinMs, $"A device was away for {gaps[^1]} ms.");
        // Each device was on a silo that stopped, and many on two.
        Assert.True(gaps.Count >= Devices / 2, $"Only {gaps.Count} reconnects.");
        cluster.DeleteLogs();
    }

    private static async Task RestartEach(FaultCluster cluster)
    {
        foreach (var gateway in cluster.Gateways) await gateway.Restart();
    }
}
