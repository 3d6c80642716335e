using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Mirubato.Tests.Docs;
using Mirubato.Tests.Faults;

namespace Mirubato.Tests.Silo;

/// <summary>
/// Where <c>deploy/cluster/run</c> writes: never where another account of the machine leads it. It never gets past its port, which is
/// taken.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class ClusterScriptFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-script-").FullName;
    private readonly TcpListener taken = new(IPAddress.Loopback, 0);

    public ClusterScriptFolderTests()
    {
        taken.Start();
        Directory.CreateDirectory(Path.Combine(folder, "own"), (UnixFileMode)0b111_000_000);
        Directory.CreateSymbolicLink(Path.Combine(folder, "link"), Path.Combine(folder, "own"));
        Directory.CreateDirectory(Path.Combine(folder, "open"));
        File.SetUnixFileMode(Path.Combine(folder, "open"), (UnixFileMode)0b111_111_111);
        Directory.CreateDirectory(Path.Combine(folder, "open", "sub"), (UnixFileMode)0b111_000_000);
    }

    public void Dispose()
    {
        taken.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("link", "is a link; give another --data")]
    [InlineData("link/", "is a link; give another --data")]
    [InlineData("open", "open to others; give another --data")]
    [InlineData("open/sub", "somebody else decides where")]
    [InlineData("open/new", "somebody else decides where")]
    public async Task A_folder_that_others_may_have_planted_is_refused_and_nothing_is_written(string data, string why)
    {
        Assert.Contains(why, await Run(data), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder, "*", SearchOption.AllDirectories));
    }

    [NeedsHaproxyFact]
    public async Task A_folder_of_its_own_is_taken_or_made()
    {
        foreach (var data in (string[])["own", "own/", "new"])
        {
            Assert.Contains($"port {((IPEndPoint)taken.LocalEndpoint).Port} is taken", await Run(data), StringComparison.Ordinal);
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(Path.Combine(folder, data.TrimEnd('/'))));
        }
    }

    private async Task<string> Run(string data)
    {
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        string[] arguments = ["--no-build", "--postgres", "Host=none", "--port", $"{port}", "--data", $"{folder}/{data}"];
        using var script = Process.Start(
            new ProcessStartInfo(Path.Combine(SourceTree.Root, "deploy/cluster/run"), arguments) { RedirectStandardError = true })!;
        var printed = await script.StandardError.ReadToEndAsync();
        await script.WaitForExitAsync();
        Assert.Equal(1, script.ExitCode);
        return printed;
    }
}
