using System.Text;

namespace Mirubato.Grains.Domain;

/// <summary>Unix ms as every time goes out: ISO 8601, UTC, milliseconds, <c>Z</c>.</summary>
internal static class IsoTime
{
    public const int Length = 24;

    public static string Text(long ms)
    {
        Span<byte> text = stackalloc byte[Length];
        Write(ms, text);
        return Encoding.ASCII.GetString(text);
    }

    /// <summary>What no ISO time can say is written as the nearest that it can.</summary>
    public static void Write(long ms, Span<byte> text)
    {
        var time = DateTime.UnixEpoch.AddTicks(Math.Clamp(ms, Moment.MinMs, Moment.MaxMs) * TimeSpan.TicksPerMillisecond);
        "0000-00-00T00:00:00.000Z"u8.CopyTo(text);
        Digits(text[..4], time.Year);
        Digits(text[5..7], time.Month);
        Digits(text[8..10], time.Day);
        Digits(text[11..13], time.Hour);
        Digits(text[14..16], time.Minute);
        Digits(text[17..19], time.Second);
        Digits(text[20..23], time.Millisecond);
    }

    private static void Digits(Span<byte> to, int value)
    {
        for (var i = to.Length - 1; i >= 0; i--, value /= 10) to[i] = (byte)('0' + (value % 10));
    }
}
