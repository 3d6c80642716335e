using System.Diagnostics;

namespace Mirubato.Bench.Load;

/// <summary>
/// How long something took, how many cores the load generator was busy with it, and the CPU time that it cost the server and PostgreSQL.
/// </summary>
internal readonly record struct RunCost(double Seconds, double ClientCores, TimeSpan? ServerCpu, TimeSpan? PostgresCpu)
{
    public static Func<RunCost> Begin(MeasuredProcesses processes)
    {
        var (server, postgres) = (processes.ServerCpu(), processes.PostgresCpu());
        var client = Environment.CpuUsage.TotalTime;
        var started = Stopwatch.GetTimestamp();
        return () =>
        {
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var cores = (Environment.CpuUsage.TotalTime - client).TotalSeconds / seconds;
            return new RunCost(seconds, cores, processes.ServerCpu() - server, processes.PostgresCpu() - postgres);
        };
    }
}
