using System.Buffers.Text;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>What is only known when a change has won.</summary>
internal enum Slot
{
    None,
    Version,
    IsoTime,
    NumberTime,
}

/// <summary>
/// Replaces bytes of the document as sent: first by <paramref name="Literal"/>, then by what <paramref name="Slot"/> stands for.
/// </summary>
internal readonly record struct Splice(int Start, int Length, ReadOnlyMemory<byte> Literal, Slot Slot = Slot.None);

/// <summary>
/// The normalized document, as the bytes that were sent and the few that differ: most items of a push turn out to be unchanged and are
/// never rendered. Members that are not changed keep their order and their spelling.
/// </summary>
/// <param name="source">One JSON object.</param>
/// <param name="splices">By position, not overlapping.</param>
internal sealed class OutgoingDocument(ReadOnlyMemory<byte> source, Splice[] splices)
{
    private const int NumberBytesMax = 20;

    /// <summary>A time in quotes is the longest.</summary>
    private const int SlotBytesMax = IsoTime.Length + 2;

    /// <summary>About the bytes it will have.</summary>
    public int Length => source.Length;

    /// <summary>The bytes it has at most, whatever version and time it gets: the same for a document as for its stored copy.</summary>
    public int LengthMax
    {
        get
        {
            var length = source.Length;
            foreach (var splice in splices) length += splice.Literal.Length - splice.Length + (splice.Slot is Slot.None ? 0 : SlotBytesMax);
            return length;
        }
    }

    public ReadOnlyMemory<byte> Render(long version, long publishedMs)
    {
        var output = new Utf8Buffer(source.Length + 64);
        Render(ref output, version, publishedMs);
        var bytes = output.Written.ToArray();
        output.Dispose();
        ReplaceLineBreaks(bytes);
        return bytes;
    }

    public void Render(ref Utf8Buffer output, long version, long publishedMs)
    {
        var from = 0;
        foreach (var splice in splices)
        {
            output.Append(source.Span[from..splice.Start]);
            output.Append(splice.Literal.Span);
            Fill(splice.Slot, ref output, version, publishedMs);
            from = splice.Start + splice.Length;
        }

        output.Append(source.Span[from..]);
    }

    private static void Fill(Slot slot, ref Utf8Buffer output, long version, long publishedMs)
    {
        switch (slot)
        {
            case Slot.Version:
                Number(ref output, version);
                break;
            case Slot.NumberTime:
                Number(ref output, publishedMs);
                break;
            case Slot.IsoTime:
                output.Append((byte)'"');
                IsoTime.Write(publishedMs, output.Reserve(IsoTime.Length));
                output.Advance(IsoTime.Length);
                output.Append((byte)'"');
                break;
        }
    }

    private static void Number(ref Utf8Buffer output, long number)
    {
        Utf8Formatter.TryFormat(number, output.Reserve(NumberBytesMax), out var written);
        output.Advance(written);
    }

    /// <summary>A line break in JSON is only ever space between tokens, and an export holds one document a line.</summary>
    private static void ReplaceLineBreaks(Span<byte> json)
    {
        if (json.IndexOfAny((byte)'\n', (byte)'\r') < 0) return;
        json.Replace((byte)'\n', (byte)' ');
        json.Replace((byte)'\r', (byte)' ');
    }
}
