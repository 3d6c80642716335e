namespace Mirubato.Grains.Local;

/// <summary>
/// The runtime collects when somebody allocates; a process that has fallen quiet keeps the memory of its busiest minute for ever. This one
/// gives it back, once, when it has forgotten users and then hardly allocated for a while: nobody is there to notice the pause.
/// </summary>
internal sealed class IdleMemory
{
    private const int FreedMin = 500;
    private const long QuietBytesMax = 16 * 1024 * 1024;

    private int freed;
    private long allocated = GC.GetTotalAllocatedBytes();

    public void Freed() => Interlocked.Increment(ref freed);

    /// <summary>Asked at regular intervals.</summary>
    public void GiveBack()
    {
        var before = allocated;
        allocated = GC.GetTotalAllocatedBytes();
        if (Volatile.Read(ref freed) < FreedMin || allocated - before > QuietBytesMax) return;
        Interlocked.Exchange(ref freed, 0);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
