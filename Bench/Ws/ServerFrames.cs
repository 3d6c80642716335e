using System.Buffers.Binary;

namespace Mirubato.Bench.Ws;

/// <summary>
/// Cuts what comes off a socket into frames (RFC 6455, 5.2) where it lies. Of what the standard allows it understands what this
/// server sends: whole, unmasked frames; anything else is said to be wrong, for a figure over misread frames is worth nothing.
/// </summary>
internal sealed class ServerFrames
{
    private const byte Final = 0x80;
    private byte[] buffer = new byte[4096];
    private int start, end;

    public byte Opcode { get; private set; }

    /// <summary>Valid until more is read.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>Where what comes next belongs.</summary>
    public Memory<byte> FreeSpace
    {
        get
        {
            if (start == end)
                start = end = 0;
            else if (end == buffer.Length)
                Grow();
            return buffer.AsMemory(end);
        }
    }

    public void Filled(int count) => end += count;

    /// <summary>Takes the bytes up to and with a mark: the head of the upgrade's answer. Null while it is not there.</summary>
    public ReadOnlyMemory<byte>? TakeThrough(ReadOnlySpan<byte> mark)
    {
        var at = buffer.AsSpan(start, end - start).IndexOf(mark);
        if (at < 0)
            return null;
        var taken = buffer.AsMemory(start, at + mark.Length);
        start += taken.Length;
        return taken;
    }

    public ReadOnlySpan<byte> Unread => buffer.AsSpan(start, end - start);

    /// <summary>False until a whole frame is there.</summary>
    /// <exception cref="IOException">It is none this server may send.</exception>
    public bool TryNext()
    {
        var bytes = buffer.AsSpan(start, end - start);
        if (bytes.Length < 2)
            return false;
        if ((bytes[0] & Final) == 0 || (bytes[0] & 0x70) != 0 || bytes[1] >= 0x80)
            throw new IOException($"The server sent a frame that begins 0x{bytes[0]:x2} 0x{bytes[1]:x2}: fragmented, extended or masked.");
        var (head, length) = bytes[1] switch
        {
            126 => (4, bytes.Length < 4 ? int.MaxValue : BinaryPrimitives.ReadUInt16BigEndian(bytes[2..])),
            127 => (10, bytes.Length < 10 ? int.MaxValue : checked((int)BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]))),
            var small => (2, small),
        };
        if (bytes.Length - head < length)
            return false;
        Opcode = (byte)(bytes[0] & 0x0F);
        Payload = buffer.AsMemory(start + head, length);
        start += head + length;
        return true;
    }

    private void Grow()
    {
        var left = buffer.AsSpan(start, end - start);
        var into = left.Length > buffer.Length / 2 ? new byte[buffer.Length * 4] : buffer;
        left.CopyTo(into);
        (buffer, start, end) = (into, 0, left.Length);
    }
}
