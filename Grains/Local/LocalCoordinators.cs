using System.Collections.Concurrent;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Local;

/// <summary>
/// The local engine: a coordinator per active user in this process, forgotten when idle. Forgetting is always safe, even when another
/// coordinator of the user is made at that moment: both decide behind the same fence.
/// </summary>
internal sealed class LocalCoordinators : ISyncCoordinators, IDisposable
{
    private readonly ConcurrentDictionary<UserId, SyncCoordinator> active = new();
    private readonly CoordinatorContext context;
    private readonly IdleMemory memory;
    private readonly ITimer timer;
    private int tidying;

    public LocalCoordinators(CoordinatorContext context)
    {
        (this.context, memory) = (context, new IdleMemory(context.Time));
        var often = TimeSpan.FromMilliseconds(Limits.CoordinatorIdleMs / 4);
        timer = context.Time.CreateTimer(_ => Tidy(), null, often, often);
    }

    public int Active => active.Count;

    public ISyncCoordinator For(UserId user)
    {
        if (active.TryGetValue(user, out var coordinator)) return coordinator;
        coordinator = active.GetOrAdd(user, static (u, c) => new SyncCoordinator(u, c), context);
        if (active.Count > Limits.CoordinatorsMax) Tidy();
        return coordinator;
    }

    /// <summary>Forgets who has been idle for long, and the longest idle while there are too many or their heads weigh too much.</summary>
    private void Tidy()
    {
        if (Interlocked.Exchange(ref tidying, 1) == 1) return;
        try
        {
            var idleSince = context.NowMs - Limits.CoordinatorIdleMs;
            var all = active.Select(a => (a.Key, a.Value, a.Value.LastUsedMs, a.Value.Heads)).OrderBy(a => a.LastUsedMs).ToList();
            var heads = all.Sum(a => (long)a.Heads);
            foreach (var (user, coordinator, usedMs, weight) in all)
            {
                var tooMany = active.Count > Limits.CoordinatorsMax * 9 / 10 || heads > Limits.HeadsMax;
                if (usedMs > idleSince && !tooMany) break;
                if (!coordinator.IsIdle || !active.TryRemove(user, out _)) continue;
                heads -= weight;
                memory.Freed();
            }
        }
        finally
        {
            Volatile.Write(ref tidying, 0);
        }
    }

    public void Dispose()
    {
        timer.Dispose();
        memory.Dispose();
    }
}
