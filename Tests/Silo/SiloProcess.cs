using System.Diagnostics;
using System.Text.RegularExpressions;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Silo;

/// <summary>The one executable as a process, in a folder of its own, on a port that the system chooses.</summary>
internal sealed partial class SiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("mirubato-silo-");
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> printed = [];
    private readonly Process process;

    private SiloProcess(string[] settings, bool hasTemporaryFolder = true)
    {
        foreach (var one in (DirectoryInfo[])(hasTemporaryFolder ? [Home, Temporary] : [Home])) one.Create();
        string[] arguments =
            [
                Path.Combine(AppContext.BaseDirectory, "Mirubato.Silo.dll"), "--Urls=http://127.0.0.1:0", "--environment=Test",
                $"--Auth:Secret={Edge.Secret}", .. settings,
            ];
        process = new Process
        {
            StartInfo = new ProcessStartInfo("dotnet", arguments)
            {
                WorkingDirectory = folder.FullName,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["HOME"] = Home.FullName, ["TMPDIR"] = Temporary.FullName },
            },
            EnableRaisingEvents = true,
        };
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.Exited += (_, _) => ended.TrySetResult();
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Uri Url { get; private set; } = null!;

    public string Printed
    {
        get
        {
            lock (printed) return string.Join('\n', printed);
        }
    }

    public int Id => process.Id;

    public DirectoryInfo Home => new(Path.Combine(folder.FullName, "home"));

    public DirectoryInfo Temporary => new(Path.Combine(folder.FullName, "tmp"));

    public static Task<SiloProcess> Start(params string[] settings) => Start(new SiloProcess(settings));

    public static Task<SiloProcess> StartWithoutTemporaryFolder() => Start(new SiloProcess([], hasTemporaryFolder: false));

    private static async Task<SiloProcess> Start(SiloProcess silo)
    {
        var first = await Task.WhenAny(silo.listening.Task, silo.ended.Task).WaitAsync(Patience);
        if (first == silo.listening.Task)
        {
            silo.Url = await silo.listening.Task;
            return silo;
        }

        await silo.DisposeAsync();
        throw new InvalidOperationException($"The silo ended before it listened: {silo.Printed}");
    }

    /// <summary>For a start that is to fail: the exit code and all that was printed.</summary>
    public static async Task<(int Code, string Printed)> Fail(params string[] settings)
    {
        await using var silo = new SiloProcess(settings);
        using var patience = new CancellationTokenSource(Patience);
        await silo.process.WaitForExitAsync(patience.Token);
        return (silo.process.ExitCode, silo.Printed);
    }

    /// <summary>As Ctrl-C or a supervisor ends it.</summary>
    public async Task<int> Stop()
    {
        Signals.Send(process.Id, Signal.Terminate);
        using var patience = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(patience.Token);
        return process.ExitCode;
    }

    /// <summary>As a power failure ends it.</summary>
    public void Kill() => process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
        folder.Delete(recursive: true);
    }

    private void Take(string? line)
    {
        if (line is null) return;
        lock (printed) printed.Add(line);
        if (Listening().Match(line) is { Success: true } at) listening.TrySetResult(new Uri(at.Groups[1].Value));
    }

    [GeneratedRegex(@"Now listening on: (http://[^\s""]+)")]
    private static partial Regex Listening();
}
