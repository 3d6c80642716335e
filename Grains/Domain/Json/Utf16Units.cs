using System.Buffers.Text;
using System.Text;

namespace Mirubato.Grains.Domain.Json;

/// <summary>
/// The UTF-16 units that the inside of a JSON string means, one by one. Lone surrogates come out as they are;
/// the framework's reader throws on them, although ECMAScript writes and reads them.
/// </summary>
internal ref struct Utf16Units(ReadOnlySpan<byte> raw)
{
    private readonly ReadOnlySpan<byte> raw = raw;
    private int at;
    private char low;

    public char Current { get; private set; }

    public bool MoveNext()
    {
        if (low != 0)
        {
            (Current, low) = (low, '\0');
            return true;
        }

        if (at == raw.Length) return false;
        var first = raw[at];
        if (first == '\\') Current = Unescape();
        else if (first < 0x80) (Current, at) = ((char)first, at + 1);
        else Current = DecodeRune();
        return true;
    }

    private char DecodeRune()
    {
        Rune.DecodeFromUtf8(raw[at..], out var rune, out var used);
        at += used;
        if (rune.IsBmp) return (char)rune.Value;
        Span<char> pair = stackalloc char[2];
        rune.EncodeToUtf16(pair);
        low = pair[1];
        return pair[0];
    }

    private char Unescape()
    {
        var kind = (char)raw[at + 1];
        at += 2;
        if (kind != 'u') return Simple(kind);
        var digits = raw.Slice(at, 4);
        at += 4;
        return Utf8Parser.TryParse(digits, out ushort unit, out _, 'x') ? (char)unit : '\uFFFD';
    }

    private static char Simple(char kind) => kind switch
    {
        'b' => '\b',
        'f' => '\f',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        _ => kind,
    };
}
