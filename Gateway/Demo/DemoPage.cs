using System.Text.RegularExpressions;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Demo;

/// <summary>
/// Two devices in one page, and a token to try them with. Mapped only where <c>Demo:Enabled</c> allows it; elsewhere there is nothing at
/// these addresses.
/// </summary>
internal static partial class DemoPage
{
    public const string Path = "/demo";

    // The page's own origin and nothing else; not even a style may stand in the markup.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; worker-src 'self'; base-uri "
        + "'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly (string Address, string File, string ContentType)[] Files =
    [
        (Path, "demo.html", ContentTypes.Html),
        ($"{Path}/demo.css", "demo.css", ContentTypes.Style),
        ($"{Path}/demo.js", "demo.js", ContentTypes.Script),
        ($"{Path}/worker.js", "worker.js", ContentTypes.Script),
        ($"{Path}/icon.svg", "icon.svg", ContentTypes.Image),
    ];

    public static void MapDemo(this IEndpointRouteBuilder app)
    {
        if (!app.ServiceProvider.GetRequiredService<GatewayOptions>().Demo.Enabled) return;
        var demo = app.MapGroup("").ExcludeFromDescription();
        foreach (var (address, file, contentType) in Files)
        {
            var content = Embedded(file);
            demo.MapGet(address, http => Answer(http, content, contentType));
        }

        demo.MapGet($"{Path}/token", Token);
    }

    private static Task Answer(HttpContext http, byte[] content, string contentType)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XFrameOptions = "DENY";
        // Without this a worker under /demo/ could not keep the page itself, which is /demo.
        headers["Service-Worker-Allowed"] = Path;
        return http.Answer(StatusCodes.Status200OK, content, contentType);
    }

    /// <summary>
    /// A token nobody had to sign in for. It is short-lived, so that the page has to fetch the next one in time, as a real app does.
    /// </summary>
    private static Task Token(
        HttpContext http, GatewayOptions options, DemoTokens tokens, [FromKeyedServices(ServerClock.Key)] TimeProvider time)
    {
        var user = http.Features.Get<RedactedQuery>()?["user"];
        if (user is null || !DemoUser().IsMatch(user))
        {
            return ProblemAnswers.Write(
                http, Problem.InvalidParameter, "The parameter user must be 'demo-' and 16 to 40 lower-case letters or digits.");
        }
        if (!tokens.Count(http.Connection.RemoteIpAddress))
        {
            return ProblemAnswers.Write(
                http, Problem.RateLimited, "This address took too many tokens of the demo; wait as Retry-After says.");
        }
        var token = SampleToken.For(user, options.Auth, time.GetUtcNow(), TimeSpan.FromSeconds(options.Demo.TokenSeconds));
        return http.Answer(StatusCodes.Status200OK, System.Text.Encoding.ASCII.GetBytes(token), ContentTypes.Token);
    }

    public static byte[] Embedded(string file)
    {
        using var stream = typeof(DemoPage).Assembly.GetManifestResourceStream(file)!;
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    // Who may have a token without signing in. The prefix keeps such users apart from everybody else's: no token of the demo speaks for a
    // user of the installation. Whoever knows such an id has its journal, as a shared link is meant to; it is long, so that nobody guesses
    // another's.
    [GeneratedRegex("^demo-[a-z0-9]{16,40}\\z")]
    private static partial Regex DemoUser();
}
