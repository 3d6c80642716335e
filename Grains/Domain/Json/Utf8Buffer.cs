using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Mirubato.Grains.Domain.Json;

/// <summary>
/// Bytes being written, in pooled memory. A mutable struct: keep it in one place and pass it by reference. The default one rents when it
/// is first written to.
/// </summary>
internal struct Utf8Buffer(int capacity) : IDisposable
{
    private byte[]? bytes = ArrayPool<byte>.Shared.Rent(capacity);

    public int Length { get; private set; }

    public readonly ReadOnlySpan<byte> Written => bytes.AsSpan(0, Length);

    public void Append(byte value)
    {
        if (bytes is null || Length == bytes.Length) Grow(1);
        bytes[Length++] = value;
    }

    public void Append(scoped ReadOnlySpan<byte> values)
    {
        if (bytes is null || values.Length > bytes.Length - Length) Grow(values.Length);
        values.CopyTo(bytes.AsSpan(Length));
        Length += values.Length;
    }

    /// <summary>Room for <paramref name="count"/> more bytes; what was used of it is told by <see cref="Advance"/>.</summary>
    public Span<byte> Reserve(int count)
    {
        if (bytes is null || count > bytes.Length - Length) Grow(count);
        return bytes.AsSpan(Length);
    }

    public void Advance(int count) => Length += count;

    /// <summary>Takes back all that was written after <paramref name="mark"/>.</summary>
    public void Rewind(int mark) => Length = mark;

    public void Dispose()
    {
        if (bytes is not null) ArrayPool<byte>.Shared.Return(bytes);
        bytes = null;
        Length = 0;
    }

    [MemberNotNull(nameof(bytes))]
    private void Grow(int more)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * Length, Length + more));
        if (bytes is not null)
        {
            Written.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(bytes);
        }

        bytes = larger;
    }
}
