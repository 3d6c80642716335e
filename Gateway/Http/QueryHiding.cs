using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Mirubato.Gateway.Http;

/// <summary>What the query held that no log may see, by its name.</summary>
internal sealed class HiddenQuery
{
    private readonly Dictionary<string, string> values = new(StringComparer.OrdinalIgnoreCase);

    public string? this[string name] => values.GetValueOrDefault(name);

    /// <summary>Of several the first counts.</summary>
    public void Add(string name, string value) => values.TryAdd(name, value);
}

/// <summary>
/// Moves tokens, tickets and users out of the query before anything can log it: the host's own diagnostics write the query string ahead
/// of every middleware, so a middleware would come too late. A token is known by its shape too, for it may come under a name that is not
/// its own.
/// </summary>
internal sealed partial class QueryHiding(IServiceProvider services) : IHttpContextFactory
{
    private static readonly string[] Hidden = ["token", "ticket", "access_token", "userId", "user"];

    private readonly DefaultHttpContextFactory inner = new(services);

    public HttpContext Create(IFeatureCollection featureCollection)
    {
        if (featureCollection.Get<IHttpRequestFeature>() is { QueryString.Length: > 1 } request) Hide(featureCollection, request);
        return inner.Create(featureCollection);
    }

    public void Dispose(HttpContext httpContext) => inner.Dispose(httpContext);

    private static void Hide(IFeatureCollection features, IHttpRequestFeature request)
    {
        HiddenQuery? hidden = null;
        var kept = new StringBuilder();
        foreach (var pair in new QueryStringEnumerable(request.QueryString))
        {
            var (name, value) = (pair.DecodeName(), pair.DecodeValue());
            if (IsHidden(name.Span) || Token().IsMatch(name.Span) || Token().IsMatch(value.Span)) (hidden ??= new HiddenQuery()).Add(name.ToString(), value.ToString());
            else kept.Append(kept.Length == 0 ? '?' : '&').Append(pair.EncodedName).Append('=').Append(pair.EncodedValue);
        }

        if (hidden is null) return;
        features.Set(hidden);
        request.QueryString = kept.ToString();
        var path = request.RawTarget.Split('?', 2)[0];
        request.RawTarget = path + request.QueryString;
    }

    private static bool IsHidden(ReadOnlySpan<char> name)
    {
        foreach (var one in Hidden)
        {
            if (name.Equals(one, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    /// <summary>Three parts in base64url, of which the first two are objects: their first six bits say so. No composer's initials look like that.</summary>
    [GeneratedRegex(@"(?<![A-Za-z0-9_-])e[w-z0-9_-][A-Za-z0-9_-]{8,}\.e[w-z0-9_-][A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", RegexOptions.CultureInvariant)]
    private static partial Regex Token();
}
