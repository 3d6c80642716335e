using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Http;

/// <summary>
/// Stands before the pages for operators, all of which are under <see cref="Prefix"/>. No other site may frame them, run anything in them
/// or read them, and with <c>Admin:Port</c> they are on that port only, where nothing else is.
/// </summary>
internal sealed class OperatorPages(RequestDelegate next, GatewayOptions options)
{
    public const string Prefix = "/dashboard";
    public const string ApiPrefix = "/admin";

    /// <summary>
    /// What Orleans's dashboard needs, and no more: it styles elements itself, and its style sheet brings fonts and images along.
    /// </summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static bool IsOne(HttpContext http) =>
        http.Request.Path.StartsWithSegments(Prefix) || http.Request.Path.StartsWithSegments(ApiPrefix);

    public Task Invoke(HttpContext http)
    {
        var isOne = IsOne(http);
        if (options.AdminPort is { } port && isOne != (http.Connection.LocalPort == port))
        {
            return ProblemAnswers.Write(http, Problem.NotFound);
        }
        if (isOne)
        {
            http.Response.Headers.ContentSecurityPolicy = Policy;
            http.Response.Headers.XFrameOptions = "DENY";
        }

        return next(http);
    }
}
