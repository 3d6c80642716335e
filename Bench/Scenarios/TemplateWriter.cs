using System.Buffers;
using System.Text;

namespace Mirubato.Bench.Scenarios;

/// <summary>Writes text and remembers where the changing parts are.</summary>
internal sealed class TemplateWriter
{
    private ArrayBufferWriter<byte> bytes = new();
    private readonly List<(int, int, long)> numbers = [];
    private readonly List<int> times = [];
    private readonly List<(int, Range)> checksums = [];

    public int Position => bytes.WrittenCount;

    public TemplateWriter Text(string text)
    {
        Encoding.UTF8.GetBytes(text, bytes);
        return this;
    }

    public TemplateWriter Raw(ReadOnlySpan<byte> some)
    {
        bytes.Write(some);
        return this;
    }

    /// <summary>Takes back the last bytes, which must not hold a changing part.</summary>
    public TemplateWriter Cut(int count)
    {
        var kept = bytes.WrittenSpan[..^count].ToArray();
        bytes = new ArrayBufferWriter<byte>();
        return Raw(kept);
    }

    /// <summary>A number that is the <paramref name="item"/>-th of each sending.</summary>
    /// <param name="among">After so many numbers it comes again.</param>
    public TemplateWriter Number(int item, long among = long.MaxValue)
    {
        numbers.Add((Position, item, among));
        return Text(new string('0', RequestTemplate.NumberWidth));
    }

    public TemplateWriter Time()
    {
        times.Add(Position);
        return Text(new string('0', RequestTemplate.TimeWidth));
    }

    public TemplateWriter Checksum(Range document)
    {
        checksums.Add((Position, document));
        return Text(new string('0', RequestTemplate.ChecksumWidth));
    }

    /// <summary>Appends what another writer holds; its places move along.</summary>
    public TemplateWriter Append(TemplateWriter other)
    {
        var shift = Position;
        numbers.AddRange(other.numbers.Select(slot => (slot.Item1 + shift, slot.Item2, slot.Item3)));
        times.AddRange(other.times.Select(offset => offset + shift));
        checksums.AddRange(other.checksums.Select(slot => (slot.Item1 + shift, Shifted(slot.Item2, shift))));
        bytes.Write(other.bytes.WrittenSpan);
        return this;
    }

    public RequestTemplate ToTemplate(int items) => new(bytes.WrittenSpan.ToArray(), items, new Slots(numbers, times, checksums));

    private static Range Shifted(Range range, int shift) => (range.Start.Value + shift)..(range.End.Value + shift);
}
