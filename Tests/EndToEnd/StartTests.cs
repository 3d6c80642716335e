using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.EndToEnd;

/// <summary>Somebody starts a second server beside one they forgot.</summary>
public sealed class StartTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-start-").FullName;
    private readonly DirectoryInfo temporary = Directory.CreateTempSubdirectory("mirubato-start-temporary-");
    private readonly TcpListener other = new(IPAddress.Loopback, 0);

    public StartTests() => other.Start();

    public void Dispose()
    {
        other.Dispose();
        Directory.Delete(directory, recursive: true);
        temporary.Delete(recursive: true);
    }

    [Fact]
    public async Task A_taken_port_ends_the_start_with_what_to_do_about_it()
    {
        var (code, said, _) = await Start(((IPEndPoint)other.LocalEndpoint).Port);

        Assert.Equal(1, code);
        Assert.Contains("listen elsewhere: ./run --Urls", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0123456789abcdef0123456789abcdef")]
    public async Task A_taken_database_ends_the_start_with_what_to_do_about_it_and_nothing_else(string adminSecret)
    {
        using var holder = new FileStream(Path.Combine(directory, "sync.db.lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        var (code, said, shown) = await Start(0, $"--Admin:Secret={adminSecret}");

        Assert.Equal(1, code);
        Assert.Contains("set Storage:SqlitePath to another file", Assert.Single(said.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Empty(shown);
        Assert.Empty(temporary.EnumerateFileSystemInfos("mirubato*"));
    }

    private async Task<(int Code, string Said, string Shown)> Start(int port, params string[] settings)
    {
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "Mirubato.Silo.dll"), $"--Urls=http://127.0.0.1:{port}", "--environment=Test",
            $"--Auth:Secret={Edge.Secret}", $"--Storage:SqlitePath={Path.Combine(directory, "sync.db")}", .. settings,
        ];
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", arguments)
            {
                WorkingDirectory = directory,
                Environment = { ["TMPDIR"] = temporary.FullName },
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        var shown = process.StandardOutput.ReadToEndAsync();
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, said, await shown);
    }
}
