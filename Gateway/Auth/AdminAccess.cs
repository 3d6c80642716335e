using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Auth;

/// <summary>
/// Pages for operators ask for <c>Admin:Secret</c> as the password of HTTP Basic, under any name: a browser can be sent there without a
/// token of some user, and no user's token opens them. While the secret is not set such pages must not be mapped at all.
/// </summary>
internal sealed class AdminAccess(
    IOptionsMonitor<AuthenticationSchemeOptions> scheme, ILoggerFactory logs, UrlEncoder encoder,
    GatewayOptions options, AdminGuesses guesses)
    : AuthenticationHandler<AuthenticationSchemeOptions>(scheme, logs, encoder)
{
    public const string Policy = "admin";
    private const string Basic = "Basic ";

    private bool isTooOften;

    public static void Configure(IServiceCollection services)
    {
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, AdminAccess>(Policy, null);
        services.AddAuthorizationBuilder().AddPolicy(Policy, policy => policy.AddAuthenticationSchemes(Policy).RequireAuthenticatedUser());
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Authenticate());

    /// <summary>An empty body of known length, so that nobody writes a problem over the question a browser understands.</summary>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (isTooOften)
        {
            Response.StatusCode = StatusCodes.Status429TooManyRequests;
            Response.Headers.RetryAfter = "60";
        }
        else
        {
            Response.StatusCode = StatusCodes.Status401Unauthorized;
            Response.Headers.WWWAuthenticate = "Basic realm=\"admin\", charset=\"UTF-8\"";
        }

        Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    /// <summary>Past its guesses an address has nothing compared, not even the right secret: else it would go on guessing.</summary>
    private AuthenticateResult Authenticate()
    {
        var address = Context.Connection.RemoteIpAddress;
        if (Password() is not { } password) return AuthenticateResult.NoResult();
        isTooOften = guesses.IsUsedUp(address);
        if (!isTooOften && options.AdminSecret is { } secret && IsSame(password, secret)) return AuthenticateResult.Success(Admitted());
        isTooOften = isTooOften || !guesses.Count(address);
        return AuthenticateResult.Fail("Another secret.");
    }

    private string? Password()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase)) return null;
        var sent = new byte[header.Length];
        if (!Convert.TryFromBase64String(header[Basic.Length..].Trim(), sent, out var length)) return "";
        var pair = Encoding.UTF8.GetString(sent, 0, length);
        return pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..];
    }

    /// <summary>Hashed first, so that the time it takes tells nothing, not even the length.</summary>
    private static bool IsSame(string sent, string secret) =>
        CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(sent)), SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private static AuthenticationTicket Admitted() =>
        new(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, Policy)], Policy)), Policy);
}
