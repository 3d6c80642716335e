using System.Diagnostics;
using System.Globalization;
using Mirubato.Bench;
using Mirubato.Tests.Admin;
using Mirubato.Tests.Docs;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Faults;

/// <summary>
/// A real server in a process of its own, that can be killed, paused, stopped as a supervisor would, and started again where it was.
/// </summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(50);

    private readonly string postgres;
    private readonly string log;
    private readonly int siloPort = FreePort.Next();
    private readonly int gatewayPort = FreePort.Next();
    private readonly HttpClient probe;
    private readonly SemaphoreSlim turn = new(1);
    private Process? process;
    private readonly bool hasDefaultLimits;
    private bool mayHaveEnded;

    private GatewayProcess(string postgres, string log, bool hasDefaultLimits)
    {
        (this.postgres, this.log, this.hasDefaultLimits) = (postgres, log, hasDefaultLimits);
        Url = new Uri($"http://127.0.0.1:{FreePort.Next()}");
        probe = new HttpClient { BaseAddress = Url, Timeout = TimeSpan.FromSeconds(10) };
    }

    public Uri Url { get; }

    /// <summary>It has an Admin API.</summary>
    public bool HasOperators { get; init; }

    /// <summary>Where other silos reach it, as the list of silos names it.</summary>
    public string SiloAddress => $"127.0.0.1:{siloPort}";

    /// <summary>What the process held when it had just become ready.</summary>
    public long StartBytes { get; private set; }

    public long ResidentBytes =>
        1024 * long.Parse(
            File.ReadLines($"/proc/{process!.Id}/status")
                .First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture);

    public string Log => File.ReadAllText(log);

    public static GatewayProcess Over(string postgres, string log, bool hasDefaultLimits = false, bool hasOperators = false) =>
        new(postgres, log, hasDefaultLimits) { HasOperators = hasOperators };

    public async Task Start()
    {
        await turn.WaitAsync();
        try
        {
            process = Launch();
            await Ready();
            StartBytes = ResidentBytes;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>SIGKILL, and up again after a while.</summary>
    public async Task Kill(Func<Task> awhile)
    {
        if (!await turn.WaitAsync(0)) return;
        try
        {
            await End(Signal.Kill);
            await awhile();
            process = Launch();
            mayHaveEnded = true;
        }
        finally
        {
            turn.Release();
        }
    }

    public async Task Pause(Func<Task> awhile)
    {
        if (!await turn.WaitAsync(0)) return;
        try
        {
            Signals.Send(process!.Id, Signal.Stop);
            await awhile();
            Signals.Send(process.Id, Signal.Continue);
            mayHaveEnded = true;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>As a supervisor restarts it for a new version.</summary>
    public async Task Restart()
    {
        await turn.WaitAsync();
        try
        {
            await End(Signal.Terminate);
            process = Launch();
            await Ready();
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Told to stop, it ends by itself and says that all is well.</summary>
    public async Task Stop()
    {
        await turn.WaitAsync();
        try
        {
            Signals.Send(process!.Id, Signal.Terminate);
            await process.WaitForExitAsync();
            Assert.Equal(0, process.ExitCode);
            process.Dispose();
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>After the faults: it may still be down or starting.</summary>
    public async Task Heal()
    {
        await turn.WaitAsync();
        try
        {
            await Ready();
        }
        finally
        {
            turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            // A paused process takes no other signal.
            Signals.Send(process.Id, Signal.Continue);
            await End(Signal.Kill);
        }

        probe.Dispose();
        turn.Dispose();
    }

    private async Task End(Signal signal)
    {
        Signals.Send(process!.Id, signal);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    /// <summary>
    /// As a supervisor does: a silo that was paused for long was declared dead meanwhile, and ends when it hears of it; and one whose
    /// connection to the store is cut while it starts ends as well.
    /// </summary>
    private void Relaunch()
    {
        mayHaveEnded = false;
        process!.Dispose();
        process = Launch();
    }

    private Process Launch()
    {
        // Its own output folder: what ships, not the tests' copy. Output goes to a file, since nobody would empty a pipe.
        var program = Path.Combine(
            SourceTree.Root, "Silo", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "Mirubato.Silo.dll");
        var start = new ProcessStartInfo(
            "/bin/sh",
            ["-c", $"exec dotnet \"$0\" >>\"$1\" 2>&1 </dev/null", program, log])
        { WorkingDirectory = Path.GetDirectoryName(log)! };
        start.Environment["Urls"] = Url.ToString();
        start.Environment["DOTNET_ENVIRONMENT"] = "Test";
        start.Environment["Auth__Secret"] = Edge.Secret;
        if (HasOperators) start.Environment["Admin__Secret"] = AdminServer.Secret;
        start.Environment["Storage__Postgres"] = postgres;
        start.Environment["Silo__Address"] = "127.0.0.1";
        start.Environment["Silo__Port"] = $"{siloPort}";
        start.Environment["Silo__GatewayPort"] = $"{gatewayPort}";
        start.Environment["Silo__ProbeSeconds"] = "1";
        start.Environment["Silo__MissedProbes"] = "2";
        if (hasDefaultLimits) return Process.Start(start)!;
        start.Environment["Limits__RequestsPerSecond"] = start.Environment["Limits__RequestBurst"] = "1000000";
        start.Environment["Limits__Conflicts"] = "1000000";
        return Process.Start(start)!;
    }

    private async Task Ready()
    {
        var clock = Stopwatch.StartNew();
        while (!await IsReady())
        {
            if (process!.HasExited && mayHaveEnded) Relaunch();
            if (process.HasExited || clock.Elapsed > Patience)
            {
                throw new InvalidOperationException($"The gateway at {Url} did not come up: {Log}");
            }
            await Task.Delay(Glance);
        }
    }

    private async Task<bool> IsReady()
    {
        try
        {
            using var answer = await probe.GetAsync("/health/ready");
            return answer.IsSuccessStatusCode;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
