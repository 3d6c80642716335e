using System.Globalization;

namespace Mirubato.Grains.Interfaces;

/// <summary>Unix ms as every time goes out: ISO 8601, UTC, milliseconds, <c>Z</c>. Existing clients break on anything else.</summary>
public static class IsoTime
{
    public const int Length = 24;
    public const long MinMs = -62_135_596_800_000;
    public const long MaxMs = 253_402_300_799_999;
    private const string Form = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public static string Text(long ms) => At(ms).ToString(Form, CultureInfo.InvariantCulture);

    public static string? Text(long? ms) => ms is { } known ? Text(known) : null;

    public static string Text(DateTimeOffset time) => Text(time.ToUnixTimeMilliseconds());

    public static void Write(long ms, Span<byte> text) => At(ms).TryFormat(text, out _, Form, CultureInfo.InvariantCulture);

    /// <summary>What no ISO time can say is written as the nearest that it can.</summary>
    private static DateTime At(long ms) => DateTime.UnixEpoch.AddTicks(Math.Clamp(ms, MinMs, MaxMs) * TimeSpan.TicksPerMillisecond);
}
