using System.Globalization;

namespace Mirubato.Gateway.Wire;

/// <summary>Times as they go out: ISO 8601, UTC, milliseconds, <c>Z</c>. Existing clients break on anything else.</summary>
internal static class WireTime
{
    private const string Form = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
    private static readonly long MinMs = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long MaxMs = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    public static string Iso(long unixMs) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(unixMs, MinMs, MaxMs)).UtcDateTime.ToString(Form, CultureInfo.InvariantCulture);

    public static string? Iso(long? unixMs) => unixMs is { } ms ? Iso(ms) : null;

    public static string Iso(DateTimeOffset time) => Iso(time.ToUnixTimeMilliseconds());
}
