namespace Mirubato.Bench.Load;

/// <summary>The processes on this machine whose CPU time is measured.</summary>
/// <param name="Server">The server's process.</param>
/// <param name="Postgres">PostgreSQL's first process, the parent of those that serve connections.</param>
internal sealed record MeasuredProcesses(int? Server, int? Postgres)
{
    public static readonly MeasuredProcesses None = new(null, null);

    /// <exception cref="BenchFailure">There is no such process, or this is not Linux.</exception>
    public TimeSpan? ServerCpu() => Server is { } pid ? Read("--pid", pid, CpuTime.ReadProcess) : null;

    /// <exception cref="BenchFailure">There is no such process, or this is not Linux.</exception>
    public TimeSpan? PostgresCpu() => Postgres is { } pid ? Read("--postgres-pid", pid, CpuTime.ReadFamily) : null;

    private static TimeSpan Read(string option, int pid, Func<string, int, TimeSpan?> cpu) =>
        cpu("/proc", pid) ?? throw new BenchFailure(
            $"{option} {pid}: its CPU time cannot be read. It has to be a process on this machine, on Linux.");
}
