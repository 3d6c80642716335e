using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Mirubato.Gateway.Http;

/// <summary>What the query held that no log may see.</summary>
internal sealed record HiddenTokens(string? Token, string? Ticket);

/// <summary>
/// Moves <c>token</c> and <c>ticket</c> out of the query before anything can log it: the host's own diagnostics write the query
/// string ahead of every middleware, so a middleware would come too late.
/// </summary>
internal sealed class TokenHiding(IServiceProvider services) : IHttpContextFactory
{
    private readonly DefaultHttpContextFactory inner = new(services);

    public HttpContext Create(IFeatureCollection featureCollection)
    {
        if (featureCollection.Get<IHttpRequestFeature>() is { QueryString.Length: > 1 } request) Hide(featureCollection, request);
        return inner.Create(featureCollection);
    }

    public void Dispose(HttpContext httpContext) => inner.Dispose(httpContext);

    private static void Hide(IFeatureCollection features, IHttpRequestFeature request)
    {
        string? token = null, ticket = null;
        var kept = new StringBuilder();
        var hid = false;
        foreach (var pair in new QueryStringEnumerable(request.QueryString))
        {
            var name = pair.DecodeName().Span;
            if (name.Equals("token", StringComparison.OrdinalIgnoreCase)) token ??= pair.DecodeValue().ToString();
            else if (name.Equals("ticket", StringComparison.OrdinalIgnoreCase)) ticket ??= pair.DecodeValue().ToString();
            else if (!name.Equals("access_token", StringComparison.OrdinalIgnoreCase))
            {
                kept.Append(kept.Length == 0 ? '?' : '&').Append(pair.EncodedName).Append('=').Append(pair.EncodedValue);
                continue;
            }

            hid = true;
        }

        if (!hid) return;
        features.Set(new HiddenTokens(token, ticket));
        request.QueryString = kept.ToString();
        var path = request.RawTarget.Split('?', 2)[0];
        request.RawTarget = path + request.QueryString;
    }
}
