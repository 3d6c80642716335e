using System.Collections.Frozen;

namespace Mirubato.Gateway.Options;

/// <summary>
/// Whose pages may call: compared whole, never by substring or suffix, so that <c>https://localhost.evil.example</c> stays outside.
/// </summary>
internal sealed class AllowedOrigins(IEnumerable<string> origins, bool localhostToo)
{
    private readonly FrozenSet<string> listed = origins.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public bool Allows(string origin) => listed.Contains(origin) || (localhostToo && IsLocalhost(origin));

    /// <summary>Whether <paramref name="text"/> is an origin in the form a browser sends: scheme, host and, if unusual, port.</summary>
    public static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && !text.Contains('*', StringComparison.Ordinal)
        && string.Equals(text, $"{uri.Scheme}://{uri.Authority}", StringComparison.OrdinalIgnoreCase);

    private static bool IsLocalhost(string origin) =>
        IsOrigin(origin)
        && new Uri(origin).Host is var host
        && (host is "localhost" or "127.0.0.1" || host.EndsWith(".localhost", StringComparison.Ordinal));
}
