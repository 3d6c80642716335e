using System.Security.Cryptography;
using System.Text;
using Mirubato.Gateway.Demo;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Rest;

/// <summary>A page for the person who opens the address in a browser. It loads nothing, runs nothing and cannot be framed.</summary>
internal static class HomePage
{
    private static readonly string Page = Encoding.UTF8.GetString(DemoPage.Embedded("index.html"));
    private static readonly string Policy =
        $"default-src 'none'; style-src "
        + $"'sha256-{Hash(Between(Page, "<style>", "</style>"))}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string DemoLine =
        $"<li><a href=\"{DemoPage.Path}\">{DemoPage.Path}</a>: two devices side by side; write on one, and it appears on the other</li>";

    public static void MapHome(this IEndpointRouteBuilder app) => app.MapGet("/", Get).ExcludeFromDescription();

    private static async Task Get(HttpContext http, Readiness readiness, GatewayOptions options)
    {
        var healthy = await readiness.Trouble() is null;
        var page = Page
            .Replace("{{state}}", healthy ? "healthy" : "unhealthy", StringComparison.Ordinal)
            .Replace(
                "{{sentence}}", healthy ? "Healthy: the store answers." : "Not ready: the store does not answer, or takes no writes.",
                StringComparison.Ordinal)
            .Replace("{{demo}}", options.Demo.Enabled ? DemoLine : "", StringComparison.Ordinal)
            .Replace("{{version}}", HealthEndpoints.Version, StringComparison.Ordinal);
        http.Response.Headers.ContentSecurityPolicy = Policy;
        http.Response.Headers.XFrameOptions = "DENY";
        await http.Answer(StatusCodes.Status200OK, Encoding.UTF8.GetBytes(page), ContentTypes.Html);
    }

    private static string Hash(string style) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));

    private static string Between(string text, string from, string to)
    {
        var start = text.IndexOf(from, StringComparison.Ordinal) + from.Length;
        return text[start..text.IndexOf(to, start, StringComparison.Ordinal)];
    }
}
