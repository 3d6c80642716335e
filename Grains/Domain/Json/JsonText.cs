using System.Buffers;
using System.Text;

namespace Mirubato.Grains.Domain.Json;

/// <summary>Strings between their three forms: as sent, as text, and as ECMAScript's <c>JSON.stringify</c> writes them.</summary>
internal static class JsonText
{
    private const string Hex = "0123456789abcdef";

    /// <summary>Printable ASCII that stands in a JSON string as it is.</summary>
    private static readonly SearchValues<char> Plain =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(unit => (char)unit).Except("\"\\")]);

    public static string Decode(ReadOnlySpan<byte> raw, bool escaped)
    {
        if (!escaped) return Encoding.UTF8.GetString(raw);
        var units = ArrayPool<char>.Shared.Rent(raw.Length);
        var count = 0;
        var reader = new Utf16Units(raw);
        while (reader.MoveNext()) units[count++] = reader.Current;
        var text = new string(units, 0, count);
        ArrayPool<char>.Shared.Return(units);
        return text;
    }

    /// <summary>The JSON string of <paramref name="text"/>, quotes included.</summary>
    public static byte[] Encode(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(Plain)) return EncodePlain(text);
        var output = new Utf8Buffer(text.Length + 16);
        output.Append((byte)'"');
        char high = default;
        foreach (var unit in text) high = Append(ref output, high, unit);
        EndPair(ref output, high);
        output.Append((byte)'"');
        var json = output.Written.ToArray();
        output.Dispose();
        return json;
    }

    private static byte[] EncodePlain(string text)
    {
        var json = new byte[text.Length + 2];
        json[0] = json[^1] = (byte)'"';
        Encoding.ASCII.GetBytes(text, json.AsSpan(1));
        return json;
    }

    /// <summary>
    /// Writes what stands between the quotes. Without escapes it already is what ECMAScript writes: it escapes only what must be.
    /// </summary>
    public static void WriteCanonical(ReadOnlySpan<byte> raw, bool escaped, ref Utf8Buffer output)
    {
        if (!escaped)
        {
            output.Append(raw);
            return;
        }

        char high = default;
        var units = new Utf16Units(raw);
        while (units.MoveNext()) high = Append(ref output, high, units.Current);
        EndPair(ref output, high);
    }

    /// <summary>
    /// Writes one unit, or keeps a high surrogate back until it is known whether its low one follows. Answers what is kept.
    /// </summary>
    private static char Append(ref Utf8Buffer output, char high, char unit)
    {
        if (high != 0 && char.IsLowSurrogate(unit))
        {
            AppendRune(ref output, new Rune(high, unit));
            return default;
        }

        EndPair(ref output, high);
        if (char.IsHighSurrogate(unit)) return unit;
        if (char.IsLowSurrogate(unit)) AppendHex(ref output, unit);
        else if (unit < 0x80) AppendAscii(ref output, unit);
        else AppendRune(ref output, new Rune(unit));
        return default;
    }

    private static void EndPair(ref Utf8Buffer output, char high)
    {
        if (high != 0) AppendHex(ref output, high);
    }

    private static void AppendRune(ref Utf8Buffer output, Rune rune) => output.Advance(rune.EncodeToUtf8(output.Reserve(4)));

    private static void AppendAscii(ref Utf8Buffer output, char unit)
    {
        switch (unit)
        {
            case '"': output.Append("\\\""u8); break;
            case '\\': output.Append("\\\\"u8); break;
            case '\b': output.Append("\\b"u8); break;
            case '\f': output.Append("\\f"u8); break;
            case '\n': output.Append("\\n"u8); break;
            case '\r': output.Append("\\r"u8); break;
            case '\t': output.Append("\\t"u8); break;
            case < ' ': AppendHex(ref output, unit); break;
            default: output.Append((byte)unit); break;
        }
    }

    private static void AppendHex(ref Utf8Buffer output, char unit)
    {
        output.Append("\\u"u8);
        for (var shift = 12; shift >= 0; shift -= 4) output.Append((byte)Hex[(unit >> shift) & 15]);
    }
}
