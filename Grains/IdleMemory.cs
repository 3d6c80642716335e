using System.Runtime;

namespace Mirubato.Grains;

/// <summary>
/// The runtime collects when somebody allocates; a process that has fallen quiet keeps the memory of its busiest minute for ever: on a
/// machine with a large cache some 80 MB of garbage, which is 8 KiB for each of ten thousand idle sockets. This one gives it back, once
/// it has hardly allocated for a while and there is something to gain: nobody is there to notice the pause.
/// </summary>
internal sealed class IdleMemory : IDisposable
{
    private const int FreedMin = 500;
    private const int QuietLooks = 2;
    private const long QuietBytesMax = 4 * 1024 * 1024;
    private const long WorthwhileBytes = 48 * 1024 * 1024;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PauseEvery = TimeSpan.FromSeconds(30);

    /// <summary>Pools let go of arrays that nobody has rented for a minute, and only when they see a second collection.</summary>
    private static readonly TimeSpan PoolsAfter = TimeSpan.FromSeconds(90);

    private readonly TimeProvider time;
    private readonly ITimer timer;
    private int freed;
    private int quiet;
    private int looking;
    private long allocated = GC.GetTotalAllocatedBytes();
    private long allocatedThen;
    private long pausedAt;
    private bool arePoolsDue;

    public IdleMemory(TimeProvider time)
    {
        this.time = time;
        pausedAt = time.GetTimestamp();
        timer = time.CreateTimer(_ => Look(), null, LookEvery, LookEvery);
    }

    /// <summary>Something that was kept for long is not any more.</summary>
    public void Freed() => Interlocked.Increment(ref freed);

    public void Dispose() => timer.Dispose();

    private void Look()
    {
        if (Interlocked.Exchange(ref looking, 1) == 1) return;
        var before = allocated;
        allocated = GC.GetTotalAllocatedBytes();
        quiet = allocated - before > QuietBytesMax ? 0 : quiet + 1;
        if (quiet >= QuietLooks && IsDue(time.GetElapsedTime(pausedAt))) ReturnMemory();
        Volatile.Write(ref looking, 0);
    }

    private bool IsDue(TimeSpan sincePause) => (IsWorthwhile && sincePause >= PauseEvery) || (arePoolsDue && sincePause >= PoolsAfter);

    private bool IsWorthwhile => allocated - allocatedThen >= WorthwhileBytes || Volatile.Read(ref freed) >= FreedMin;

    private void ReturnMemory()
    {
        arePoolsDue = IsWorthwhile;
        Interlocked.Exchange(ref freed, 0);
        (allocatedThen, pausedAt) = (allocated, time.GetTimestamp());
        // Large bodies leave holes between what lives longer, which no collection gives back unless it is asked to move that.
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
