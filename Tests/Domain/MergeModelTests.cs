using Mirubato.Tests.Support;

namespace Mirubato.Tests.Domain;

/// <summary>
/// The model run behind the merge rules: devices with skewed clocks, double sends, stale re-pushes; any schedule must converge.
/// </summary>
public sealed class MergeModelTests
{
    private const long Year = 365L * 86_400_000;
    private static readonly long[] Skews = [-Year, -15, -3, 0, 3, 15, 90_000, Year];

    [Fact]
    public void Devices_that_merge_by_updatedAt_alone_end_equal_to_the_store() =>
        Property.HoldsForSchedules(s => Run(s, Skews), runs: Runs, steps: 60);

    [Fact]
    public void Devices_whose_clocks_differ_by_milliseconds_end_equal_to_the_store() =>
        Property.HoldsForSchedules(s => Run(s, [-15, -1, 0, 1, 15]), runs: Runs, steps: 60);

    [Fact]
    public void A_device_whose_clock_is_set_right_converges_like_any_other() =>
        Property.HoldsForSchedules(s => Run(s, [Year, 90_000, 0], setRight: true), runs: Runs, steps: 60);

    [Fact]
    public void Devices_that_merge_keep_each_others_members() =>
        Property.HoldsForSchedules(s => RunMerging(s, [-15, -1, 0, 1, 15], legacy: 0), runs: Runs, steps: 60);

    [Fact]
    public void Devices_that_merge_keep_members_whatever_their_clocks_say() =>
        Property.HoldsForSchedules(s => RunMerging(s, Skews, legacy: 0), runs: Runs, steps: 60);

    [Fact]
    public void Devices_of_both_kinds_end_equal_to_the_store_and_lose_nothing() =>
        Property.HoldsForSchedules(s => RunMerging(s, [-15, 0, 15, 90_000], legacy: 2), runs: Runs, steps: 60);

    private static void RunMerging(IReadOnlyList<int> schedule, long[] skews, int legacy)
    {
        var server = new ModelServer();
        var pick = new Random(schedule.Count == 0 ? 0 : schedule[0]);
        var merging = Enumerable.Range(0, 3).Select(i => new MergingModelDevice(server, "m" + i, Skew())).ToList();
        var others = Enumerable.Range(0, legacy).Select(i => new ModelDevice(server, "d" + i, Skew())).ToList();
        try
        {
            var nowMs = 1_800_000_000_000;
            foreach (var step in schedule)
            {
                var random = new Random(step);
                nowMs += random.Next(8) switch { 0 => random.Next(120_000), 1 => 0, _ => random.Next(6) };
                var chosen = random.Next(merging.Count + others.Count);
                if (chosen < merging.Count) merging[chosen].Step(ModelDevices.Any(random), random, nowMs);
                else ModelDevices.Step(others[chosen - merging.Count], random, nowMs, setRight: false);
                if (random.Next(20) == 0) server.Thin(ModelDevices.Any(random), random);
                server.AssertDigest();
            }

            foreach (var device in merging) device.FlushAll(nowMs + 1_000);
            foreach (var device in merging) device.Pull();
            ModelDevices.Settle(others, nowMs + 2_000);
            foreach (var device in merging) device.Pull();
            foreach (var device in merging) device.AssertEqualsTheStore();
            server.AssertNothingIsLost();
            server.AssertNoMemberIsLost();
            server.AssertDigest();
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"{failure.Message}\n{string.Join('\n', server.Trace)}", failure);
        }

        long Skew() => skews[pick.Next(skews.Length)];
    }

    private static int Runs => int.TryParse(Environment.GetEnvironmentVariable("MIRUBATO_RUNS"), out var runs) ? runs : 1_000;

    private static void Run(IReadOnlyList<int> schedule, long[] skews, bool setRight = false)
    {
        var server = new ModelServer();
        var pick = new Random(schedule.Count == 0 ? 0 : schedule[0]);
        var devices = Enumerable.Range(0, 3).Select(i => new ModelDevice(server, "d" + i, skews[pick.Next(skews.Length)])).ToList();
        try
        {
            Settle(server, devices, Play(schedule, server, devices, setRight) + 1_000);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"{failure.Message}\n{string.Join('\n', server.Trace)}", failure);
        }
    }

    private static long Play(IReadOnlyList<int> schedule, ModelServer server, List<ModelDevice> devices, bool setRight)
    {
        var nowMs = 1_800_000_000_000;
        foreach (var step in schedule)
        {
            var random = new Random(step);
            nowMs += random.Next(8) switch { 0 => random.Next(120_000), 1 => 0, _ => random.Next(6) };
            ModelDevices.Step(devices[random.Next(devices.Count)], random, nowMs, setRight);
            server.AssertDigest();
        }

        return nowMs;
    }

    private static void Settle(ModelServer server, List<ModelDevice> devices, long nowMs)
    {
        ModelDevices.Settle(devices, nowMs);
        var head = server.Ledger.Last;
        foreach (var device in devices) device.PushAll(nowMs + 2);
        Assert.Equal(head, server.Ledger.Last);
        server.AssertNothingIsLost();
        server.AssertDigest();
    }
}
