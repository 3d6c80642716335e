using System.Buffers.Text;
using System.Globalization;

namespace Mirubato.Grains.Domain.Json;

/// <summary>
/// Numbers as ECMAScript's Number::toString writes them: the shortest digits that read back as the same double, in its own layout.
/// </summary>
internal static class EcmaNumber
{
    /// <summary>Every integer of so many digits is exact in a double, and its own shortest form.</summary>
    private const int ExactDigits = 15;

    public static bool IsInRange(ReadOnlySpan<byte> raw) =>
        (raw.Length < 300 && raw.IndexOfAny((byte)'e', (byte)'E') < 0) || double.IsFinite(Parse(raw));

    public static double Parse(ReadOnlySpan<byte> raw) =>
        double.TryParse(raw, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : double.NaN;

    /// <summary>A number no double can hold is written as sent: it is refused elsewhere, and must not equal another here.</summary>
    public static void Write(ReadOnlySpan<byte> raw, ref Utf8Buffer output)
    {
        if (IsExactInteger(raw))
        {
            output.Append(raw is [(byte)'-', (byte)'0'] ? "0"u8 : raw);
            return;
        }

        var value = Parse(raw);
        if (double.IsFinite(value)) Write(value, ref output);
        else output.Append(raw);
    }

    public static void Write(double value, ref Utf8Buffer output)
    {
        if (value == 0)
        {
            output.Append((byte)'0');
            return;
        }

        if (value < 0) output.Append((byte)'-');
        Span<byte> text = stackalloc byte[32];
        Math.Abs(value).TryFormat(text, out var length, default, CultureInfo.InvariantCulture);
        Span<byte> digits = stackalloc byte[32];
        var (count, point) = Take(text[..length], digits);
        Write(digits[..count], point, ref output);
    }

    private static bool IsExactInteger(ReadOnlySpan<byte> raw)
    {
        var digits = raw[0] == '-' ? raw[1..] : raw;
        return digits.Length <= ExactDigits && digits.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
    }

    /// <summary>The significant digits, and the power of ten before which the point stands: value = 0.DIGITS × 10^point.</summary>
    private static (int Count, int Point) Take(ReadOnlySpan<byte> text, Span<byte> digits)
    {
        var e = text.IndexOf((byte)'E');
        var exponent = e >= 0 && Utf8Parser.TryParse(text[(e + 1)..], out int power, out _) ? power : 0;
        var mantissa = e < 0 ? text : text[..e];
        var dot = mantissa.IndexOf((byte)'.');
        var point = (dot < 0 ? mantissa.Length : dot) + exponent;
        var count = 0;
        foreach (var c in mantissa)
        {
            if (c == '.') continue;
            if (c == '0' && count == 0) point--;
            else digits[count++] = c;
        }

        while (digits[count - 1] == '0') count--;
        return (count, point);
    }

    private static void Write(ReadOnlySpan<byte> digits, int point, ref Utf8Buffer output)
    {
        switch (point)
        {
            case > 21 or <= -6:
                WriteExponent(digits, point - 1, ref output);
                break;
            case <= 0:
                output.Append("0."u8);
                Zeros(-point, ref output);
                output.Append(digits);
                break;
            default:
                output.Append(digits[..Math.Min(point, digits.Length)]);
                Zeros(point - digits.Length, ref output);
                if (point >= digits.Length) break;
                output.Append((byte)'.');
                output.Append(digits[point..]);
                break;
        }
    }

    private static void WriteExponent(ReadOnlySpan<byte> digits, int exponent, ref Utf8Buffer output)
    {
        output.Append(digits[0]);
        if (digits.Length > 1)
        {
            output.Append((byte)'.');
            output.Append(digits[1..]);
        }

        output.Append(exponent < 0 ? "e-"u8 : "e+"u8);
        Utf8Formatter.TryFormat(Math.Abs(exponent), output.Reserve(4), out var written);
        output.Advance(written);
    }

    private static void Zeros(int count, ref Utf8Buffer output)
    {
        for (var i = 0; i < count; i++) output.Append((byte)'0');
    }
}
