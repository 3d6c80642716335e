using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Demo;
using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.Admin;

/// <summary>The page of the operators. It uses the Admin API and nothing else.</summary>
internal static class AdminPage
{
    // The page's own origin and nothing else, and no text can become markup or script.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private static readonly (string Address, string File, string ContentType)[] Files =
    [
        (OperatorPages.Admin, "admin.html", ContentTypes.Html),
        ($"{OperatorPages.Admin}/admin.css", "admin.css", ContentTypes.Style),
        ($"{OperatorPages.Admin}/admin.js", "admin.js", ContentTypes.Script),
        ($"{OperatorPages.Admin}/charts.js", "charts.js", ContentTypes.Script),
        ($"{OperatorPages.Admin}/icon.svg", "icon.svg", ContentTypes.Image),
    ];

    public static void MapAdminPage(this IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup("").RequireAuthorization(AdminAccess.Policy).ExcludeFromDescription();
        foreach (var (address, file, contentType) in Files)
        {
            var content = DemoPage.Embedded(file);
            pages.MapGet(address, http =>
            {
                http.Response.Headers.ContentSecurityPolicy = Policy;
                return http.Answer(StatusCodes.Status200OK, content, contentType);
            });
        }
    }
}
