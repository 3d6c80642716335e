using System.Globalization;

namespace Mirubato.Bench.Ws;

/// <summary>What the system says of the server's process.</summary>
internal sealed class ServerProcess(int pid)
{
    /// <exception cref="BenchFailure">There is no such process, or this is not Linux.</exception>
    public long ResidentKiB()
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.AsSpan("VmRSS:".Length).TrimEnd("kB ").Trim(), CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new BenchFailure(
                $"--pid {pid}: its memory cannot be read ({e.Message}). It has to be the server's process, on this machine, on Linux.");
        }
    }
}
