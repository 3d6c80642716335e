using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Mirubato.Grains.Interfaces;

/// <summary>
/// A time as a client wrote it: an epoch-ms number, or ISO 8601 with <c>Z</c>, with an offset, without a zone (UTC), or a date alone.
/// </summary>
/// <remarks>It is read as Unix ms, rounded down, within the years 0001 to 9999.</remarks>
public static class TimeParser
{
    private const int MinuteMs = 60_000;
    private static readonly SearchValues<byte> NumberBytes = SearchValues.Create("-.0123456789"u8);

    public static bool IsRepresentable(long ms) => ms is >= IsoTime.MinMs and <= IsoTime.MaxMs;

    /// <summary>Epoch ms as JSON writes a number; null when it is none or out of range.</summary>
    public static long? ParseNumber(ReadOnlySpan<byte> number)
    {
        if (Utf8Parser.TryParse(number, out long whole, out var used) && used == number.Length) return InRange(whole);
        return double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && Math.Floor(value) is >= IsoTime.MinMs and <= IsoTime.MaxMs and var ms
            ? (long)ms
            : null;
    }

    /// <summary>ISO 8601, or the digits of an epoch-ms number.</summary>
    public static long? ParseText(ReadOnlySpan<byte> text) =>
        text.Length > 8 && text[4] == '-' && text[7] == '-' ? ParseIso(text)
        : text.Length > 0 && text.IndexOfAnyExcept(NumberBytes) < 0 ? ParseNumber(text)
        : null;

    /// <summary>ISO 8601, or the digits of an epoch-ms number.</summary>
    public static long? ParseText(string? text) => text is null ? null : ParseText(Encoding.UTF8.GetBytes(text));

    private static long? InRange(long ms) => IsRepresentable(ms) ? ms : null;

    private static long? ParseIso(ReadOnlySpan<byte> text)
    {
        var rest = new DigitReader(text);
        if (!rest.Number(4, out var year)
            || !rest.Take('-')
            || !rest.Number(2, out var month)
            || !rest.Take('-')
            || !rest.Number(2, out var day))
        {
            return null;
        }
        if (year == 0 || month is 0 or > 12 || day == 0 || day > DateTime.DaysInMonth(year, month)) return null;
        var dayMs = (new DateTime(year, month, day).Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMillisecond;
        if (rest.IsAtEnd) return dayMs;

        if (!rest.Take('T') && !rest.Take('t') && !rest.Take(' ')) return null;
        if (!TimeOfDay(ref rest, out var timeMs) || !Offset(ref rest, out var offsetMs) || !rest.IsAtEnd) return null;
        var utc = dayMs + timeMs - offsetMs;
        return IsRepresentable(utc) ? utc : null;
    }

    private static bool TimeOfDay(ref DigitReader rest, out int ms)
    {
        ms = 0;
        if (!rest.Number(2, out var hour) || !rest.Take(':') || !rest.Number(2, out var minute) || hour > 23 || minute > 59) return false;
        ms = ((hour * 60) + minute) * MinuteMs;
        if (!rest.Take(':')) return true;
        if (!rest.Number(2, out var second) || second > 59) return false;
        ms += second * 1000;
        if (!rest.Take('.')) return true;
        if (!rest.Fraction(out var thousandths)) return false;
        ms += thousandths;
        return true;
    }

    private static bool Offset(ref DigitReader rest, out int ms)
    {
        ms = 0;
        if (rest.IsAtEnd || rest.Take('Z') || rest.Take('z')) return true;
        var west = rest.Take('-');
        if (!west && !rest.Take('+')) return false;
        if (!rest.Number(2, out var hours) || hours > 23) return false;
        var minutes = 0;
        if (!rest.IsAtEnd)
        {
            rest.Take(':');
            if (!rest.Number(2, out minutes) || minutes > 59) return false;
        }

        ms = ((hours * 60) + minutes) * (west ? -MinuteMs : MinuteMs);
        return true;
    }
}
