using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Mirubato.Tests.Support;

/// <summary>A clock that stands still until a test moves it, and knows who waits for it: so a test moves it when somebody does.</summary>
internal sealed class WatchedClock() : FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(FakeClock.StartMs))
{
    private readonly ConcurrentDictionary<WatchedTimer, TimeSpan> waiting = new();
    private readonly ConcurrentDictionary<TimeSpan, int> begun = new();

    /// <summary>Timers that were set to go off once, after <paramref name="ms"/>, and were not dropped.</summary>
    public int Waiting(int ms) => waiting.Values.Count(due => due.TotalMilliseconds == ms);

    /// <summary>All that ever were.</summary>
    public int Begun(int ms) => begun.GetValueOrDefault(TimeSpan.FromMilliseconds(ms));

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new WatchedTimer(this, base.CreateTimer(callback, state, dueTime, period));
        if (period == Timeout.InfiniteTimeSpan) Note(timer, dueTime);
        return timer;
    }

    private void Note(WatchedTimer timer, TimeSpan dueTime)
    {
        waiting.TryRemove(timer, out _);
        if (dueTime == Timeout.InfiniteTimeSpan) return;
        waiting[timer] = dueTime;
        begun.AddOrUpdate(dueTime, 1, (_, count) => count + 1);
    }

    private sealed class WatchedTimer(WatchedClock clock, ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (!timer.Change(dueTime, period)) return false;
            if (period == Timeout.InfiniteTimeSpan) clock.Note(this, dueTime);
            return true;
        }

        public void Dispose()
        {
            clock.waiting.TryRemove(this, out _);
            timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            clock.waiting.TryRemove(this, out _);
            return timer.DisposeAsync();
        }
    }
}
