using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.EndToEnd;

/// <summary>Somebody starts a second server beside one they forgot.</summary>
public sealed class StartTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-start-").FullName;
    private readonly TcpListener other = new(IPAddress.Loopback, 0);

    public StartTests() => other.Start();

    public void Dispose()
    {
        other.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_taken_port_ends_the_start_with_what_to_do_about_it()
    {
        var (code, said) = await Start(((IPEndPoint)other.LocalEndpoint).Port);

        Assert.Equal(1, code);
        Assert.Contains("listen elsewhere: ./run --Urls", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_database_ends_the_start_with_what_to_do_about_it()
    {
        using var holder = new FileStream(Path.Combine(directory, "sync.db.lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        var (code, said) = await Start(0);

        Assert.Equal(1, code);
        Assert.Contains("set Storage:SqlitePath to another file", said, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Said)> Start(int port)
    {
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "Mirubato.Silo.dll"), $"--Urls=http://127.0.0.1:{port}", "--environment=Test",
            $"--Auth:Secret={Edge.Secret}", $"--Storage:SqlitePath={Path.Combine(directory, "sync.db")}",
        ];
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", arguments)
            {
                WorkingDirectory = directory,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        var shown = process.StandardOutput.ReadToEndAsync();
        var said = await process.StandardError.ReadToEndAsync();
        await shown;
        await process.WaitForExitAsync();
        return (process.ExitCode, said);
    }
}
