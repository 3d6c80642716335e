namespace Mirubato.Grains;

/// <summary>
/// The runtime collects when somebody allocates, and compacts when memory runs out. So a process keeps the memory of its busiest minute: on
/// a machine with a large cache some 80 MB of garbage, which is 8 KiB for each of ten thousand idle sockets, and the holes between what
/// lives on, which can be more. This class gives it back once the process has hardly allocated for a while and nobody is there to notice
/// the pause; and under little load if it has grown much since the last time. In between it collects what was allocated last, which would
/// otherwise grow to tens of megabytes before the runtime did so.
/// </summary>
internal sealed class IdleMemory : IDisposable
{
    private const int FreedMin = 500;
    private const int QuietLooks = 2;
    private const long QuietBytesMax = 4 * 1024 * 1024;

    /// <summary>Allocated between two looks: some 300 small requests a second.</summary>
    private const long LittleLoadBytesMax = 64 * 1024 * 1024;

    /// <summary>New garbage that is collected under little load.</summary>
    private const long YoungBytes = 4 * 1024 * 1024;
    private const long WorthwhileBytes = 48 * 1024 * 1024;

    /// <summary>Under little load the pause must be worth more, and half of what lives: it lasts as long as that is large.</summary>
    private const long WorthwhileUnderLoadBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PauseEvery = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Pools let go of arrays that nobody has rented for a minute, and only when they see a second collection; of some they let go one at a
    /// time. By then the heads of users who have left are gone as well. So a first time is followed by a second, and that by others as long
    /// as they are worth it.
    /// </summary>
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(90);
    private const long WorthwhileAgainBytes = 8 * 1024 * 1024;

    private readonly TimeProvider time;
    private readonly ManagedHeap heap;
    private readonly ITimer timer;
    private int freed;
    private int quiet;
    private int littleLoad;
    private int looking;
    private long allocated;
    private long allocatedThen;
    private long allocatedBeforeYoung;
    private long committedThen;
    private long pausedAt;
    private bool isNextDue;

    public IdleMemory(TimeProvider time, ManagedHeap heap)
    {
        (this.time, this.heap) = (time, heap);
        (allocated, committedThen) = (heap.AllocatedBytes, heap.CommittedBytes);
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
        allocated = heap.AllocatedBytes;
        quiet = allocated - before > QuietBytesMax ? 0 : quiet + 1;
        littleLoad = allocated - before > LittleLoadBytesMax ? 0 : littleLoad + 1;
        var sincePause = time.GetElapsedTime(pausedAt);
        if (IsDue && sincePause >= PauseEvery) ReturnMemory(isFirst: true);
        else if (isNextDue && littleLoad >= QuietLooks && sincePause >= AgainAfter) ReturnMemory(isFirst: false);
        else if (littleLoad >= QuietLooks && allocated - allocatedBeforeYoung >= YoungBytes) CollectYoung();
        Volatile.Write(ref looking, 0);
    }

    private bool IsDue => (quiet >= QuietLooks && IsWorthwhile) || (littleLoad >= QuietLooks && HasGrown);

    private bool IsWorthwhile => allocated - allocatedThen >= WorthwhileBytes || Volatile.Read(ref freed) >= FreedMin;

    private bool HasGrown => heap.CommittedBytes - committedThen >= Math.Max(WorthwhileUnderLoadBytes, committedThen / 2);

    private void CollectYoung()
    {
        allocatedBeforeYoung = allocated;
        heap.CollectYoung();
    }

    private void ReturnMemory(bool isFirst)
    {
        Interlocked.Exchange(ref freed, 0);
        (allocatedThen, allocatedBeforeYoung, pausedAt) = (allocated, allocated, time.GetTimestamp());
        var committed = heap.CommittedBytes;
        heap.Compact();
        committedThen = heap.CommittedBytes;
        isNextDue = isFirst || committed - committedThen >= WorthwhileAgainBytes;
    }
}
