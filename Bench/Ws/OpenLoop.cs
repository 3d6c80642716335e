using System.Diagnostics;

namespace Mirubato.Bench.Ws;

/// <summary>
/// An open loop: it acts when the time has come, whether or not what it did before is done. What it missed it makes up for at once.
/// </summary>
internal static class OpenLoop
{
    public static Task Run(double perSecond, TimeSpan duration, Action act, CancellationToken cancel) => Task.Factory.StartNew(
        () =>
        {
            var interval = Stopwatch.Frequency / perSecond;
            var count = (int)(duration.TotalSeconds * perSecond);
            var started = Stopwatch.GetTimestamp();
            for (var turn = 0; turn < count && !cancel.IsCancellationRequested; turn++)
            {
                // On a thread of its own: a timer of the pool would come late just when there is load, and spinning would take a core from
                // the server.
                while (Stopwatch.GetTimestamp() < started + (turn * interval))
                    Thread.Sleep(1);
                act();
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
