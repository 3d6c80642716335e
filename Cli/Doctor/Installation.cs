using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Mirubato.Cli.Doctor;

/// <summary>What is looked at.</summary>
/// <param name="Configuration">The settings as the server would read them here.</param>
/// <param name="PublicUrl">Where clients reach it, through proxies too; null: not looked at.</param>
internal sealed record Installation(IConfiguration Configuration, IHostEnvironment Environment, Uri? PublicUrl)
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Free and total bytes of the disk that a path is on.</summary>
    public Func<string, (long Free, long Total)> Disk { get; init; } = static path =>
    {
        var drive = new DriveInfo(path);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    };

    /// <summary>How many files a process of this account may open; null: not known.</summary>
    public Func<long?> OpenFilesMax { get; init; } = MachineChecks.ReadOpenFilesMax;
}
