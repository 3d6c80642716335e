using System.Globalization;

namespace Mirubato.Bench.Load;

/// <summary>User and system time of processes, from /proc/&lt;pid&gt;/stat (proc(5)). A process that is not there has none.</summary>
internal static class CpuTime
{
    // What /proc counts in is 1/100 s on every architecture that .NET runs on.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    public static TimeSpan? ReadProcess(string proc, int pid) => Read(proc, pid) is { } stat ? stat.Own * Tick : null;

    /// <summary>Of a process and its children. A child that has ended counts on in what its parent reports of them.</summary>
    public static TimeSpan? ReadFamily(string proc, int parent)
    {
        if (Read(proc, parent) is not { } stat)
            return null;
        var living = Pids(proc).Select(pid => Read(proc, pid)).Where(child => child?.Parent == parent).Sum(child => child!.Own);
        return (stat.Own + stat.EndedChildren + living) * Tick;
    }

    private static IEnumerable<int> Pids(string proc) =>
        from directory in Directory.EnumerateDirectories(proc)
        let name = Path.GetFileName(directory)
        where name.All(char.IsAsciiDigit)
        select int.Parse(name, CultureInfo.InvariantCulture);

    private static Stat? Read(string proc, int pid)
    {
        try
        {
            return Stat.Parse(File.ReadAllText($"{proc}/{pid}/stat"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // It has ended meanwhile, or never was.
        }
    }

    /// <summary>What of the line is used, in ticks.</summary>
    private sealed record Stat(int Parent, long Own, long EndedChildren)
    {
        // The second field is the name in parentheses, which may hold spaces and parentheses. The third is the first behind it.
        public static Stat Parse(string line)
        {
            var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
            long Field(int number) => long.Parse(fields[number - 3], CultureInfo.InvariantCulture);
            return new Stat((int)Field(4), Field(14) + Field(15), Field(16) + Field(17));
        }
    }
}
