using System.Collections.Frozen;
using System.Text;
using System.Text.RegularExpressions;

namespace Mirubato.Gateway.Options;

/// <summary>
/// Whose pages may call: compared whole, never by substring or suffix, so that <c>https://localhost.evil.example</c> stays outside.
/// </summary>
internal sealed partial class AllowedOrigins(IEnumerable<string> origins, bool localhostToo)
{
    private readonly FrozenSet<string> listed = origins.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public bool Allows(string origin) => listed.Contains(origin) || (localhostToo && IsLocalhost(origin));

    /// <summary>
    /// The origin that a browser sends for what an operator wrote, an international host in its ASCII form; null for what is no origin. The
    /// schemes of app shells (<c>capacitor:</c>, <c>chrome-extension:</c>) have hosts of their own rules, which are only ASCII.
    /// </summary>
    public static string? Exact(string text)
    {
        var composed = Nfc.Compose(text);
        if (!IsWebOrigin(composed)) return Shell().IsMatch(text) ? text : null;
        var uri = new Uri(composed);
        return uri.HostNameType is UriHostNameType.Dns && !Ascii.IsValid(text)
            ? $"{uri.Scheme}://{uri.IdnHost}{(uri.IsDefaultPort ? "" : $":{uri.Port}")}"
            : text;
    }

    /// <summary>
    /// Whether <paramref name="text"/> is an origin of http or https in the form a browser sends: scheme, host and, if unusual, port.
    /// </summary>
    public static bool IsWebOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && !text.Contains('*', StringComparison.Ordinal)
        && string.Equals(text, $"{uri.Scheme}://{uri.Authority}", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"^(?!https?:)[a-z][a-z0-9+.-]*://[a-z0-9._:-]*\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Shell();

    private static bool IsLocalhost(string origin) =>
        IsWebOrigin(origin)
        && new Uri(origin).Host is var host
        && (host is "localhost" or "127.0.0.1" || host.EndsWith(".localhost", StringComparison.Ordinal));
}
