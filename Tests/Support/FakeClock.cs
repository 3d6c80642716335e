namespace Mirubato.Tests.Support;

/// <summary>A clock that stands still until a test moves it; then its timers fire, in order, on the caller's thread.</summary>
internal sealed class FakeClock(long nowMs = FakeClock.StartMs) : TimeProvider
{
    public const long StartMs = 1_800_000_000_000;

    private readonly Lock gate = new();
    private readonly List<FakeTimer> timers = [];

    public long NowMs { get; private set; } = nowMs;

    public override long TimestampFrequency => 1000;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);

    public override long GetTimestamp() => NowMs;

    public void Advance(TimeSpan by) => Set(NowMs + (long)by.TotalMilliseconds);

    public void Set(long toMs)
    {
        while (NextDue(toMs) is { } timer)
        {
            NowMs = Math.Max(NowMs, timer.DueMs);
            timer.Fire();
        }

        NowMs = toMs;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        lock (gate) timers.Add(timer);
        return timer;
    }

    private FakeTimer? NextDue(long toMs)
    {
        lock (gate) return timers.Where(t => t.DueMs <= toMs).MinBy(t => t.DueMs);
    }

    private sealed class FakeTimer(FakeClock clock, TimerCallback callback, object? state) : ITimer
    {
        private long periodMs;

        public long DueMs { get; private set; } = long.MaxValue;

        public void Fire()
        {
            DueMs = periodMs > 0 ? DueMs + periodMs : long.MaxValue;
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            DueMs = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : clock.NowMs + (long)dueTime.TotalMilliseconds;
            periodMs = period == Timeout.InfiniteTimeSpan ? 0 : (long)period.TotalMilliseconds;
            return true;
        }

        public void Dispose()
        {
            lock (clock.gate) clock.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
