using Microsoft.AspNetCore.Http.Features;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.WebApp;

/// <summary>The id in <c>/api/&lt;collection&gt;/&lt;id&gt;</c>.</summary>
internal static class PathId
{
    private const int At = 2;

    /// <summary>As the client spells it. From the raw target, where a slash inside an id can be told from a literal %2F.</summary>
    public static string Of(HttpContext http)
    {
        var target = http.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        if (!target.StartsWith('/') && Uri.TryCreate(target, UriKind.Absolute, out var whole)) target = whole.PathAndQuery;
        var segments = target.Split('?', 2)[0].TrimStart('/').Split('/');
        return segments.Length > At ? Uri.UnescapeDataString(segments[At]) : "";
    }

    /// <summary>As scores are stored.</summary>
    public static string OfScore(HttpContext http) => ScoreIds.NormalizeExisting(Of(http));
}
