using Microsoft.AspNetCore.Http.Features;

namespace Mirubato.Gateway.Rest;

/// <summary>The id in <c>/api/&lt;collection&gt;/&lt;id&gt;</c>.</summary>
internal static class PathId
{
    /// <summary>
    /// As the client spells it. From the raw target, because a slash inside an id stays encoded in the route value and could not be told
    /// from a literal %2F.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="at">Segments before the id.</param>
    public static string Parse(HttpContext http, int at = 2)
    {
        var target = http.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        if (!target.StartsWith('/') && Uri.TryCreate(target, UriKind.Absolute, out var whole)) target = whole.PathAndQuery;
        var segments = target.Split('?', 2)[0].TrimStart('/').Split('/');
        return segments.Length > at ? Uri.UnescapeDataString(segments[at]) : "";
    }

    /// <summary>As scores are stored.</summary>
    public static string ParseScore(HttpContext http) => ScoreIds.NormalizeExisting(Parse(http));
}
