using System.Collections.Concurrent;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Engine;

/// <summary>A listener that remembers, and can be waited for.</summary>
internal sealed class HintsHeard : IHintListener
{
    private readonly Lock gate = new();
    private readonly List<(Func<bool> Until, TaskCompletionSource Done)> waiting = [];
    private int missed;
    private int forgotten;

    public ConcurrentQueue<Hint> All { get; } = new();

    public int MissedCount => Volatile.Read(ref missed);

    public int ForgottenCount => Volatile.Read(ref forgotten);

    public void Hear(Hint hint)
    {
        All.Enqueue(hint);
        Look();
    }

    public void Missed()
    {
        Interlocked.Increment(ref missed);
        Look();
    }

    public void Forgotten()
    {
        Interlocked.Increment(ref forgotten);
        Look();
    }

    public SyncToken? HeadOf(UserId user) => All.OfType<HeadMoved>().LastOrDefault(hint => hint.User == user)?.Head;

    /// <summary>Done once that is so; fails after half a minute.</summary>
    public Task Until(Func<HintsHeard, bool> isSo)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate) waiting.Add((() => isSo(this), done));
        Look();
        return done.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private void Look()
    {
        lock (gate)
        {
            foreach (var (until, done) in waiting.Where(w => w.Until()).ToList()) done.TrySetResult();
            waiting.RemoveAll(w => w.Done.Task.IsCompleted);
        }
    }
}
