using System.Globalization;
using Mirubato.Gateway.Options;

namespace Mirubato.Cli.Doctor;

/// <summary>The machine on which this runs: its disk, and how many files a process may open.</summary>
internal static class MachineChecks
{
    private const long MebiByte = 1024 * 1024;
    private const long FreeRed = 256 * MebiByte;
    private const long FreeAmber = 2048 * MebiByte;

    /// <summary>Files beside the sockets: the database's connections, assemblies, logs.</summary>
    private const int OtherFiles = 500;

    public static IReadOnlyList<Finding> Run(Installation installation, GatewayOptions options)
    {
        var findings = new List<Finding>();
        if (options.Storage.Postgres is null) findings.Add(JudgeDisk(installation, options.Storage.DataDirectory));
        findings.Add(JudgeFiles(installation.OpenFilesMax(), options.Limits.Connections));
        return findings;
    }

    public static long? ReadOpenFilesMax()
    {
        const string limits = "/proc/self/limits";
        if (!File.Exists(limits)) return null;
        var line = File.ReadLines(limits).FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        var cells = line?["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return cells.Length > 0 && long.TryParse(cells[0], NumberStyles.None, CultureInfo.InvariantCulture, out var soft) ? soft : null;
    }

    private static Finding JudgeDisk(Installation installation, string directory)
    {
        var folder = directory;
        while (!Directory.Exists(folder) && Path.GetDirectoryName(folder) is { } parent) folder = parent;
        var (free, total) = installation.Disk(folder);
        var says = $"The disk of {directory} has {free / MebiByte:N0} of {total / MebiByte:N0} MiB left.";
        const string remedy = "Make room: when the disk is full, writes are answered 503 (reason full) and reads go on.";
        return free < FreeRed ? Finding.Bad("disk", says, remedy)
            : free < FreeAmber ? Finding.Warn("disk", says, remedy)
            : Finding.Good("disk", says);
    }

    private static Finding JudgeFiles(long? max, int connections)
    {
        if (max is null) return Finding.Good("open files", "How many files a process may open is not known here.");
        return max >= connections + OtherFiles
            ? Finding.Good("open files", $"A process may open {max:N0} files; Limits:Connections is {connections:N0}.")
            : Finding.Warn(
                "open files", $"A process of this account may open {max:N0} files, and Limits:Connections is {connections:N0}.",
                $"Raise the limit where the server is started (LimitNOFILE={connections + OtherFiles} in its systemd unit, or ulimit -n), "
                    + "or lower Limits:Connections.");
    }
}
