using Mirubato.Bench;
using Mirubato.Bench.Load;

namespace Mirubato.Tests.Bench;

/// <summary>CPU times of processes, read from a directory that is laid out like /proc.</summary>
public sealed class CpuTimeTests : IDisposable
{
    private readonly string proc = Directory.CreateTempSubdirectory("mirubato-proc-").FullName;

    public void Dispose() => Directory.Delete(proc, recursive: true);

    [Fact]
    public void A_process_has_its_user_and_its_system_time_whatever_its_name()
    {
        Process(7, parent: 1, user: 30, system: 12, name: "a (b) c) S 9 9");

        Assert.Equal(TimeSpan.FromMilliseconds(420), CpuTime.ReadProcess(proc, 7));
        Assert.Null(CpuTime.ReadProcess(proc, 8));
    }

    [Fact]
    public void A_family_has_the_time_of_the_parent_of_living_children_and_of_ended_ones()
    {
        Directory.CreateDirectory(Path.Combine(proc, "sys"));
        Directory.CreateDirectory(Path.Combine(proc, "99")); // It ended between being listed and being read.
        Process(7, parent: 1, user: 1, system: 2, endedUser: 10, endedSystem: 20);
        Process(8, parent: 7, user: 100, system: 200);
        Process(9, parent: 7, user: 1_000, system: 2_000);
        Process(10, parent: 1, user: 7_777, system: 7_777);

        Assert.Equal(TimeSpan.FromMilliseconds(33_330), CpuTime.ReadFamily(proc, 7));
        Assert.Null(CpuTime.ReadFamily(proc, 11));
    }

    [Fact]
    public void This_process_has_used_some() =>
        Assert.InRange(
            new MeasuredProcesses(Environment.ProcessId, null).ServerCpu()!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.MaxValue);

    [Fact]
    public void A_process_that_does_not_exist_is_reported_with_its_option()
    {
        var failure = Assert.Throws<BenchFailure>(() => new MeasuredProcesses(null, int.MaxValue).PostgresCpu());

        Assert.Contains("--postgres-pid", failure.Message, StringComparison.Ordinal);
    }

    private void Process(int pid, int parent, int user, int system, int endedUser = 0, int endedSystem = 0, string name = "postgres")
    {
        Directory.CreateDirectory(Path.Combine(proc, $"{pid}"));
        File.WriteAllText(
            Path.Combine(proc, $"{pid}", "stat"),
            $"{pid} ({name}) S {parent} 5 5 0 -1 0 55 55 55 55 {user} {system} {endedUser} {endedSystem} 20 0 1 0\n");
    }
}
