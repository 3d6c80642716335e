using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Mirubato.Gateway.Http;

/// <summary>What the query held and no log may see.</summary>
internal sealed class RedactedQuery
{
    private readonly Dictionary<string, string> values = new(StringComparer.OrdinalIgnoreCase);

    public string? this[string name] => values.GetValueOrDefault(name);

    /// <summary>Of several the first counts.</summary>
    public void Add(string name, string value) => values.TryAdd(name, value);

    /// <summary>A parameter of the query, whether logs may see it or not; empty when it is absent.</summary>
    public static string Read(HttpContext http, string name) =>
        http.Features.Get<RedactedQuery>()?[name] ?? http.Request.Query[name].ToString();
}

/// <summary>
/// Takes out of the address, before anything can log it, what no log may see: the host's own diagnostics write path and query ahead of
/// every middleware, so a middleware would come too late. Of the query only parameters that say nothing of anybody are left, by an
/// allow-list: a token, a user or a search text may come under any name. A token is known by its shape too. Nothing has an address with a
/// token in its path, so such a request becomes one for <see cref="NoPath"/>, which is not found.
/// </summary>
internal sealed partial class QueryRedaction(IServiceProvider services) : IHttpContextFactory
{
    public const string NoPath = "/hidden";

    private static readonly string[] Shown = ["limit", "types", "since", "after", "status", "type"];

    private readonly DefaultHttpContextFactory inner = new(services);

    public HttpContext Create(IFeatureCollection featureCollection)
    {
        if (featureCollection.Get<IHttpRequestFeature>() is { } request)
        {
            if (request.Path.StartsWith(HiddenIds.Prefix, StringComparison.OrdinalIgnoreCase)) HiddenIds.Hide(featureCollection, request);
            if (request.QueryString.Length > 1) HideQuery(featureCollection, request);
            HidePath(request);
        }

        return inner.Create(featureCollection);
    }

    public void Dispose(HttpContext httpContext) => inner.Dispose(httpContext);

    private static void HideQuery(IFeatureCollection features, IHttpRequestFeature request)
    {
        RedactedQuery? hidden = null;
        var kept = new StringBuilder();
        foreach (var pair in new QueryStringEnumerable(request.QueryString))
        {
            var (name, value) = (pair.DecodeName(), pair.DecodeValue());
            if (!IsShown(name.Span) || Token().IsMatch(value.Span)) (hidden ??= new RedactedQuery()).Add(name.ToString(), value.ToString());
            else kept.Append(kept.Length == 0 ? '?' : '&').Append(pair.EncodedName).Append('=').Append(pair.EncodedValue);
        }

        if (hidden is null) return;
        features.Set(hidden);
        request.QueryString = kept.ToString();
        var path = request.RawTarget.Split('?', 2)[0];
        request.RawTarget = path + request.QueryString;
    }

    private static void HidePath(IHttpRequestFeature request)
    {
        // A browser's proxy, or whoever encodes twice, hides a token behind another layer.
        if (!Token().IsMatch(request.Path) && !Token().IsMatch(Uri.UnescapeDataString(request.Path)) && !Token().IsMatch(request.RawTarget))
        {
            return;
        }
        request.Path = NoPath;
        request.RawTarget = NoPath + request.QueryString;
    }

    private static bool IsShown(ReadOnlySpan<char> name)
    {
        foreach (var one in Shown)
        {
            if (name.Equals(one, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    /// <summary>
    /// Three parts in base64url, of which the first two are objects: their first six bits say so. No composer's initials look like that.
    /// </summary>
    [GeneratedRegex(
        @"(?<![A-Za-z0-9_-])e[w-z0-9_-][A-Za-z0-9_-]{8,}\.e[w-z0-9_-][A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", RegexOptions.CultureInvariant)]
    private static partial Regex Token();
}
