using Xunit.Abstractions;

namespace Mirubato.Tests.Faults;

/// <summary>
/// Random schedules over real processes; <see cref="FaultSettings"/> says how to play one again, and how to make it smaller.
/// </summary>
[Collection("alone")]
public sealed class FaultTests(ITestOutputHelper output)
{
    private const int Devices = 20;

    // What a process keeps once it has worked: compiled code, pooled connections and buffers, and the heap's first generations.
    private const long KeptBytesMax = 96L << 20;
    // Coordinators are forgotten after a minute, and the heap is given back when the process is idle.
    private static readonly TimeSpan IdlePatience = TimeSpan.FromMinutes(4);

    [Fact]
    public void A_schedule_is_a_function_of_its_seed()
    {
        Assert.Equal(FaultSchedule.Create(7, Devices, 60_000), FaultSchedule.Create(7, Devices, 60_000));
        Assert.NotEqual(FaultSchedule.Create(7, Devices, 60_000), FaultSchedule.Create(8, Devices, 60_000));
    }

    [Fact]
    public async Task Whatever_breaks_nothing_acknowledged_is_lost_nothing_happens_twice_and_all_devices_end_equal_to_the_store()
    {
        var seed = FaultSettings.Seed;
        var schedule = FaultSchedule.Create(seed, Devices, 1_000 * FaultSettings.Seconds, FaultSettings.Without)
            .Take(FaultSettings.StepsMost)
            .ToList();
        output.WriteLine($"seed {seed}, {schedule.Count} steps");
        await using var cluster = await FaultCluster.Start();
        var run = new FaultRun(cluster, new FaultWorld(seed, cluster.Urls), output);
        await run.Play(schedule, Devices);
        Assert.True(
            run.Wrong.Count == 0,
            $"MIRUBATO_SEED={seed} shows it again, logs are in {cluster.Logs}. {run.Wrong.Count} things are "
            + $"wrong:\n{string.Join('\n', run.Wrong.Take(25))}\n{cluster.Complaints()}");
        if (FaultSettings.IsLong) await MemoryReturns(cluster);
        cluster.DeleteLogs();
    }

    private async Task MemoryReturns(FaultCluster cluster)
    {
        var before = cluster.Gateways.Max(gateway => gateway.StartBytes);
        output.WriteLine($"started with {before >> 20} MiB, now {Resident(cluster)}");
        var isBack = await Patiently.Until(
            () => cluster.Gateways.All(gateway => gateway.ResidentBytes <= before + KeptBytesMax), IdlePatience);
        output.WriteLine($"idle: {Resident(cluster)}");
        Assert.True(isBack, $"Started with {before >> 20} MiB, and idle they hold {Resident(cluster)}.");
    }

    private static string Resident(FaultCluster cluster) =>
        string.Join(", ", cluster.Gateways.Select(gateway => $"{gateway.ResidentBytes >> 20} MiB"));
}
