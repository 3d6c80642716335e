using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Mirubato.Tests.EndToEnd;

namespace Mirubato.Tests.Faults;

/// <summary>What quiet users saw for a while.</summary>
internal sealed record QuietFigures(int Requests, double P99Ms, IReadOnlyList<string> Failures)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Requests} quiet requests, p99 {P99Ms:f1} ms, {Failures.Count} failed");
}

/// <summary>Users who push an entry now and then, and pull what is new. Each request is timed, and none may fail.</summary>
internal sealed class QuietLife : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource end = new();
    private readonly ConcurrentQueue<double> millis = new();
    private readonly ConcurrentQueue<string> failures = new();
    private readonly List<Task> lives;

    private QuietLife(Uri server, int users) =>
        lives = [.. Enumerable.Range(0, users).Select(i => Task.Run(() => Live(server, $"quiet{i}")))];

    public static async Task<QuietLife> Begin(Uri server, int users)
    {
        var life = new QuietLife(server, users);
        await life.During(Task.Delay(Pace));
        return life;
    }

    /// <summary>What they saw while something else went on.</summary>
    public async Task<QuietFigures> During(Task other)
    {
        millis.Clear();
        failures.Clear();
        await other;
        var times = millis.Order().ToList();
        return new QuietFigures(
            times.Count, times.Count == 0 ? double.PositiveInfinity : times[(int)(0.99 * (times.Count - 1))], [.. failures]);
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await Task.WhenAll(lives);
        end.Dispose();
    }

    private async Task Live(Uri server, string user)
    {
        using var device = new HttpDevice(server, user, "phone");
        using var pace = new PeriodicTimer(Pace);
        string? token = null;
        for (var i = 0; !end.IsCancellationRequested; i++)
        {
            await Timed(() => device.PushEntry($$"""{"id":"e{{i}}","notes":"quiet","updatedAt":"2026-11-26T10:00:00.000Z"}"""));
            await Timed(async () => token = (await device.Pull(token)).Text("syncToken"));
            await pace.WaitForNextTickAsync();
        }
    }

    private async Task Timed(Func<Task> request)
    {
        var clock = Stopwatch.StartNew();
        try
        {
            await request();
        }
        catch (Exception failure)
        {
            failures.Enqueue(failure.Message);
        }

        millis.Enqueue(clock.Elapsed.TotalMilliseconds);
    }
}
