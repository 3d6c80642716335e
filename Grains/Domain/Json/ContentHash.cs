using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Mirubato.Grains.Domain.Json;

/// <summary>
/// A hash of a JSON value that is the same for each spelling of it: however its members are ordered, its strings escaped and its numbers
/// written. It is fed token by token. Not cryptographic: who makes two values collide deceives only themselves, so it is used only
/// between requests of one user. Members named twice count both, in any order.
/// </summary>
/// <param name="containers">Room for the containers that are open at once, and one more.</param>
internal ref struct ContentHash(Span<ContentHash.Container> containers)
{
    // What stands apart is told apart after hashing: XxHash mixes a seed into short input before, where other input undoes it.
    private static readonly UInt128 OfText = new(0x3b1c_72e4_90ad_5f67, 0xc8e2_1f0b_6d94_a373);
    private static readonly UInt128 OfNumber = new(0x97d4_0ea6_2bc1_f835, 0x5a6f_c31d_e870_4b29);
    private static readonly UInt128 OfHugeNumber = new(0xe25f_8b90_17c6_3da4, 0x0d83_f6a2_b459_c71e);
    private static readonly UInt128 OfLiteral = new(0x648a_d537_fe02_9c1b, 0xb17e_4098_2cd5_63fa);
    private static readonly UInt128 OfBytes = new(0x1fa9_63c8_d47b_e052, 0x724d_9be5_0f3a_86c1);

    // Seeds of what is made of hashes, which nobody chooses.
    private const int OfElement = 1;
    private const int OfMember = 2;
    private const int OfArray = 3;
    private const int OfObject = 4;

    private readonly Span<Container> containers = containers;
    private int depth;

    /// <summary>The hash of the value, once all its tokens were added.</summary>
    public readonly UInt128 Value => containers[0].Content;

    /// <summary>Of bytes that are no JSON.</summary>
    public static UInt128 Bytes(ReadOnlySpan<byte> bytes) => Hash(bytes, OfBytes);

    /// <param name="raw">What stands between the quotes.</param>
    /// <param name="escaped">It has escapes.</param>
    public static UInt128 Text(ReadOnlySpan<byte> raw, bool escaped)
    {
        if (!escaped) return Hash(raw, OfText);
        var text = new Utf8Buffer(raw.Length);
        JsonText.WriteCanonical(raw, escaped, ref text);
        var hash = Hash(text.Written, OfText);
        text.Dispose();
        return hash;
    }

    /// <summary>Two numbers are the same if they are the same double; one that no double can hold is its own text.</summary>
    public static UInt128 Number(ReadOnlySpan<byte> raw)
    {
        var value = EcmaNumber.Parse(raw);
        if (!double.IsFinite(value)) return Hash(raw, OfHugeNumber);
        if (value == 0) value = 0; // Not the negative one.
        return Hash(MemoryMarshal.AsBytes(new ReadOnlySpan<double>(in value)), OfNumber);
    }

    /// <summary>Of <c>true</c>, <c>false</c> and <c>null</c>.</summary>
    public static UInt128 Literal(ReadOnlySpan<byte> raw) => Hash(raw, OfLiteral);

    public void Open(bool isArray) => containers[++depth] = new Container { IsArray = isArray };

    public void Close()
    {
        var closed = containers[depth--];
        Add(Mix(closed.Content, closed.Count, closed.IsArray ? OfArray : OfObject));
    }

    /// <summary>The name of the member whose value is added next.</summary>
    public readonly void Name(UInt128 text) => containers[depth].Name = text;

    /// <summary>A value in the container that is open, or the whole.</summary>
    public readonly void Add(UInt128 value)
    {
        ref var container = ref containers[depth];
        container.Count++;
        if (depth == 0) container.Content = value;
        else if (container.IsArray) container.Content = Mix(container.Content, value, OfElement);
        else container.Content += Mix(container.Name, value, OfMember);
    }

    private static UInt128 Hash(ReadOnlySpan<byte> bytes, UInt128 kind) => XxHash128.HashToUInt128(bytes) ^ kind;

    private static UInt128 Mix(UInt128 one, UInt128 other, int kind)
    {
        ReadOnlySpan<UInt128> both = [one, other];
        return XxHash128.HashToUInt128(MemoryMarshal.AsBytes(both), kind);
    }

    internal struct Container
    {
        public UInt128 Content;
        public UInt128 Name;
        public uint Count;
        public bool IsArray;
    }
}
