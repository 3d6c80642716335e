using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Mirubato.Bench;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Browser;

/// <summary>The server as a process of its own, so that it can be killed, over SQLite in a directory of its own.</summary>
internal sealed class DemoServer : IAsyncDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-demo-").FullName;
    private readonly HttpClient client = new();
    private readonly string[] settings;
    private Process? process;

    private DemoServer(string[] settings)
    {
        this.settings = settings;
        Url = $"http://127.0.0.1:{FreePort.Next()}";
    }

    public string Url { get; }

    public static async Task<DemoServer> Start(params string[] settings)
    {
        var server = new DemoServer(settings);
        await server.Begin();
        return server;
    }

    /// <summary>Starts the process, for the first time or again on the same address and store.</summary>
    public async Task Begin()
    {
        string[] arguments =
        [
            Path.Combine(
                AppContext.BaseDirectory, "Mirubato.Silo.dll"), $"--Urls={Url}", "--environment=Test", $"--Auth:Secret={Edge.Secret}",
            $"--Storage:SqlitePath={Path.Combine(directory, "mirubato.db")}", "--Demo:TokensPerMinute=100000",
            "--Logging:LogLevel:Default=Warning", .. settings,
        ];
        var up = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        process = new Process
        {
            StartInfo = new ProcessStartInfo("dotnet", arguments)
            {
                WorkingDirectory = directory,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        process.StartInfo.Environment["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information";
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => up.TrySetResult(false);
        var printed = new ConcurrentQueue<string?>();
        process.OutputDataReceived += (_, line) =>
        {
            printed.Enqueue(line.Data);
            if (line.Data?.Contains("Now listening on", StringComparison.Ordinal) == true) up.TrySetResult(true);
        };
        process.ErrorDataReceived += (_, line) => printed.Enqueue(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (await up.Task.WaitAsync(TimeSpan.FromMinutes(1))) return;
        await process.WaitForExitAsync();
        throw new InvalidOperationException($"The server ended before it listened, with {process.ExitCode}: {string.Join('\n', printed)}");
    }

    /// <summary>SIGKILL: it has no chance to finish anything.</summary>
    public async Task Kill()
    {
        if (process is null) return;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    /// <summary>The answer to a pull from the start.</summary>
    public async Task<JsonElement> Pull(string user)
    {
        using var request = Edge.Request(HttpMethod.Post, $"{Url}/api/sync/pull", user: user);
        using var response = await client.SendAsync(request);
        return await response.Json();
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        client.Dispose();
        Directory.Delete(directory, recursive: true);
    }
}
