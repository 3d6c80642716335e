using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Http;

/// <summary>
/// Stands before what is for operators: pages, the Admin API and metrics. No other site may frame them, run anything in them or read them,
/// and with <c>Admin:Port</c> they are on that port only, where nothing else is.
/// </summary>
internal sealed class OperatorPages(RequestDelegate next, GatewayOptions options)
{
    public const string Dashboard = "/dashboard";
    public const string Admin = "/admin";
    public const string Metrics = "/metrics";

    private static readonly PathString[] Prefixes = [Dashboard, Admin, Metrics];

    /// <summary>
    /// What Orleans's dashboard needs, and no more: it styles elements itself, and its style sheet brings fonts and images along.
    /// </summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static bool IsOne(HttpContext http) => Array.Exists(Prefixes, prefix => http.Request.Path.StartsWithSegments(prefix));

    /// <summary>
    /// A caller without access gets the same answer at every address, whether something is there or not.
    /// </summary>
    public static void MapRest(IEndpointRouteBuilder app)
    {
        foreach (var prefix in Prefixes)
        {
            app.Map($"{prefix}/{{**rest}}", http => ProblemAnswers.Write(http, Problem.NotFound))
                .RequireAuthorization(Auth.AdminAccess.Policy)
                .ExcludeFromDescription();
        }
    }

    public Task Invoke(HttpContext http)
    {
        var isOne = IsOne(http);
        if (options.Admin.Port is { } port && isOne != (http.Connection.LocalPort == port))
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
