using System.Diagnostics;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using Mirubato.Bench;
using Mirubato.Tests.Docs;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Faults;

/// <summary><c>deploy/cluster/run</c> as a person starts it, in a directory of the test's own.</summary>
internal sealed partial class ClusterScript : IAsyncDisposable
{
    /// <summary>More than the script itself waits for anything.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly DirectoryInfo data = Directory.CreateTempSubdirectory("mirubato-cluster-");
    private readonly Channel<string> lines = Channel.CreateUnbounded<string>();
    private readonly List<string> printed = [];
    private readonly Process process;

    private ClusterScript(string[] options)
    {
        // A shell that is started with Ctrl-C ignored, as whatever a script starts in its background is, ignores it for good. So it is
        // started as from a terminal, however the tests were. The tests' own tokens are to count.
        File.WriteAllText(Path.Combine(data.FullName, "signing-secret"), Edge.Secret);
        Url = new Uri($"http://127.0.0.1:{FreePort.Next()}");
        process = new Process
        {
            StartInfo = new ProcessStartInfo(
                "env",
                [
                    "--default-signal=INT", Path.Combine(SourceTree.Root, "deploy/cluster/run"), "--no-build", "--port", $"{Url.Port}",
                    "--data", data.FullName, .. options,
                ])
            { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Uri Url { get; }

    /// <summary>The processes it said it had started, by name.</summary>
    public Dictionary<string, int> Children { get; } = [];

    /// <summary>Where a silo serves clients, past the balancer, by its own log.</summary>
    public Uri Silo(string name) => new(Listening().Match(File.ReadAllText(Path.Combine(data.FullName, $"{name}.log"))).Groups[1].Value);

    public string BalancerLog => File.ReadAllText(Path.Combine(data.FullName, "haproxy.log"));

    public static async Task<ClusterScript> Start(params string[] options)
    {
        var cluster = new ClusterScript(options);
        try
        {
            await cluster.Says("up at http://localhost:");
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async Task Says(string part)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            while (!(await lines.Reader.ReadAsync(patience.Token)).Contains(part, StringComparison.Ordinal)) { }
        }
        catch (Exception failure) when (failure is OperationCanceledException or ChannelClosedException)
        {
            throw new InvalidOperationException($"The cluster never said '{part}', but:\n{string.Join('\n', printed)}");
        }
    }

    /// <summary>As Ctrl-C or a supervisor ends it; the answer is its status.</summary>
    public async Task<int> Stop(Signal signal)
    {
        Signals.Send(process.Id, signal);
        using var patience = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(patience.Token);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await Stop(Signal.Terminate);
        process.Dispose();
        data.Delete(recursive: true);
    }

    private void Take(string? line)
    {
        if (line is null) return;
        lock (printed) printed.Add(line);
        if (Child().Match(line) is { Success: true } child) Children[child.Groups[1].Value] = int.Parse(child.Groups[2].Value);
        lines.Writer.TryWrite(line);
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();

    [GeneratedRegex(@"^cluster: ([\w-]+), process (\d+), log ")]
    private static partial Regex Child();
}
