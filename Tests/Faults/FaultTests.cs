using System.Globalization;
using Xunit.Abstractions;

namespace Mirubato.Tests.Faults;

/// <summary>
/// Random schedules over real processes. <c>MIRUBATO_SEED</c> plays one again, <c>MIRUBATO_FAULT_SECONDS</c> says how long a schedule is,
/// <c>MIRUBATO_FAULT_STEPS</c> cuts it after so many steps and <c>MIRUBATO_FAULT_WITHOUT</c> leaves kinds of steps out (see <see cref="Act"/>), to find the few that matter.
/// </summary>
[Collection(nameof(FaultTests))]
public sealed class FaultTests(ITestOutputHelper output)
{
    private const int Devices = 20;
    private const int ShortSeconds = 12;

    [Fact]
    public void A_schedule_is_a_function_of_its_seed()
    {
        Assert.Equal(FaultSchedule.Of(7, Devices, 60_000), FaultSchedule.Of(7, Devices, 60_000));
        Assert.NotEqual(FaultSchedule.Of(7, Devices, 60_000), FaultSchedule.Of(8, Devices, 60_000));
    }

    [Fact]
    public async Task Whatever_breaks_nothing_acknowledged_is_lost_nothing_happens_twice_and_all_devices_end_equal_to_the_store()
    {
        var seed = Number("MIRUBATO_SEED") ?? Random.Shared.Next();
        var without = (Environment.GetEnvironmentVariable("MIRUBATO_FAULT_WITHOUT") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Enum.Parse<Act>).ToHashSet();
        var schedule = FaultSchedule.Of(seed, Devices, 1_000 * (Number("MIRUBATO_FAULT_SECONDS") ?? ShortSeconds), without).Take(Number("MIRUBATO_FAULT_STEPS") ?? int.MaxValue).ToList();
        output.WriteLine($"seed {seed}, {schedule.Count} steps");
        await using var cluster = await FaultCluster.Start();
        var run = new FaultRun(cluster, new FaultWorld(seed, cluster.Urls), output);
        await run.Play(schedule, Devices);
        var complaints = cluster.Complaints();
        Assert.True(run.Wrong.Count == 0, $"MIRUBATO_SEED={seed} shows it again, logs are in {cluster.Logs}. {run.Wrong.Count} things are wrong:\n{string.Join('\n', run.Wrong.Take(25))}\n{complaints}");
        cluster.DeleteLogs();
    }

    private static int? Number(string variable) =>
        int.TryParse((Environment.GetEnvironmentVariable(variable) ?? "").Split(',')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
