using System.Runtime;

namespace Mirubato.Grains;

/// <summary>The heap of this process. A test puts figures of its own in its place.</summary>
internal class ManagedHeap
{
    /// <summary>Since the process began.</summary>
    public virtual long AllocatedBytes => GC.GetTotalAllocatedBytes();

    /// <summary>As of the last collection, garbage and holes included.</summary>
    public virtual long CommittedBytes => GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes;

    /// <summary>Collects everything, and gives back what is free.</summary>
    public virtual void Compact()
    {
        Collect();
        // Pools let go of their arrays after a collection, so it is the next one that frees them.
        GC.WaitForPendingFinalizers();
        Collect();
    }

    /// <summary>Collects what was allocated last; it takes a millisecond.</summary>
    public virtual void CollectYoung() => GC.Collect(0, GCCollectionMode.Forced);

    private static void Collect()
    {
        // Large bodies leave holes between what lives longer, which no collection gives back unless it is asked to move that.
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
