using System.Buffers;

namespace Mirubato.Gateway.Http;

/// <summary>
/// One array that is replaced by a larger one when it is full. Arrays that will be outgrown are pooled; the one that is handed out is not.
/// </summary>
internal sealed class GrowingBuffer(int size)
{
    /// <summary>A larger array is not pooled: the pool would keep it while nobody needs one.</summary>
    private const int PooledBytesMax = 1024 * 1024;

    private byte[] bytes = new byte[size];
    private bool isPooled;

    /// <summary>How many bytes it may hold now. A pooled array may be longer.</summary>
    public int Size { get; private set; } = size;

    public int Filled { get; private set; }

    public bool IsFull => Filled == Size;

    /// <summary>Where the next bytes go, at most so many.</summary>
    public Memory<byte> FreeSpace(int most) => bytes.AsMemory(Filled, Math.Min(Size - Filled, most));

    public void Advance(int count) => Filled += count;

    /// <param name="to">The new size, in bytes.</param>
    /// <param name="isLast">No more than that will come, so that this array is the one to be handed out.</param>
    public void Grow(int to, bool isLast)
    {
        var pools = !isLast && to <= PooledBytesMax;
        Replace(pools ? ArrayPool<byte>.Shared.Rent(to) : GC.AllocateUninitializedArray<byte>(to), pools);
        Size = to;
    }

    public ReadOnlyMemory<byte> ToMemory()
    {
        if (isPooled) Replace(GC.AllocateUninitializedArray<byte>(Filled), pooled: false);
        return bytes.AsMemory(0, Filled);
    }

    private void Replace(byte[] by, bool pooled)
    {
        bytes.AsSpan(0, Filled).CopyTo(by);
        if (isPooled) ArrayPool<byte>.Shared.Return(bytes);
        (bytes, isPooled) = (by, pooled);
    }
}
