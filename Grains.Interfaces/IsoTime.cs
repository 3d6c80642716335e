using System.Globalization;

namespace Mirubato.Grains.Interfaces;

/// <summary>Unix ms as every time goes out: ISO 8601, UTC, milliseconds, <c>Z</c>. Existing clients break on anything else.</summary>
public static class IsoTime
{
    public const int Length = 24;
    public const long MinMs = -62_135_596_800_000;
    public const long MaxMs = 253_402_300_799_999;

    /// <summary>Has seven places. The runtime writes it directly; a form of one's own with three is interpreted for each time.</summary>
    private const string RoundTrip = "O";
    private const int RoundTripLength = 28;

    public static string Text(long ms) => string.Create(Length, ms, static (text, time) =>
    {
        Span<char> whole = stackalloc char[RoundTripLength];
        At(time).TryFormat(whole, out _, RoundTrip, CultureInfo.InvariantCulture);
        whole[..(Length - 1)].CopyTo(text);
        text[Length - 1] = 'Z';
    });

    public static string? Text(long? ms) => ms is { } known ? Text(known) : null;

    public static string Text(DateTimeOffset time) => Text(time.ToUnixTimeMilliseconds());

    public static void Write(long ms, Span<byte> text)
    {
        Span<byte> whole = stackalloc byte[RoundTripLength];
        At(ms).TryFormat(whole, out _, RoundTrip, CultureInfo.InvariantCulture);
        whole[..(Length - 1)].CopyTo(text);
        text[Length - 1] = (byte)'Z';
    }

    /// <summary>What no ISO time can say is written as the nearest that it can.</summary>
    private static DateTime At(long ms) => DateTime.UnixEpoch.AddTicks(Math.Clamp(ms, MinMs, MaxMs) * TimeSpan.TicksPerMillisecond);
}
