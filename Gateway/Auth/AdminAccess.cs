using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Auth;

/// <summary>
/// What is for operators asks for <c>Admin:Secret</c> as the password of HTTP Basic, under any name, because a browser can be sent there
/// without a token of some user; or for the token of a user who has <c>Admin:Role</c>. Whoever has neither is answered 401 without a word.
/// While neither is set nothing of it must be mapped at all.
/// </summary>
internal sealed class AdminAccess(
    IOptionsMonitor<AuthenticationSchemeOptions> scheme, ILoggerFactory logs, UrlEncoder encoder,
    GatewayOptions options, AdminGuesses guesses)
    : AuthenticationHandler<AuthenticationSchemeOptions>(scheme, logs, encoder)
{
    public const string Policy = "admin";
    private const string Basic = "Basic ";
    private const string Bearer = "Bearer ";

    private bool isTooOften;

    public static void Configure(IServiceCollection services)
    {
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, AdminAccess>(Policy, null);
        services.AddAuthorizationBuilder().AddPolicy(Policy, policy => policy.AddAuthenticationSchemes(Policy).RequireAuthenticatedUser());
    }

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase)) return Authenticate(header[Basic.Length..].Trim());
        return options.Admin.Role is { } role && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? await Authenticate(role)
            : AuthenticateResult.NoResult();
    }

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
    private AuthenticateResult Authenticate(string credentials)
    {
        var address = Context.Connection.RemoteIpAddress;
        var (name, password) = Split(credentials);
        isTooOften = guesses.IsUsedUp(address);
        if (!isTooOften && options.Admin.Secret is { } secret && IsSame(password, secret)) return Admit(UsableId.Is(name) ? name : Policy);
        isTooOften = isTooOften || !guesses.Count(address);
        return AuthenticateResult.Fail("Another secret.");
    }

    /// <summary>
    /// A token of a user, by the rules of all tokens. One that the user has signed out does not count, and when the store cannot say that,
    /// none does: the secret still opens.
    /// </summary>
    private async Task<AuthenticateResult> Authenticate(AdminRole role)
    {
        var token = await Context.AuthenticateAsync(JwtBearerDefaults.AuthenticationScheme);
        if (token.Principal is not { } principal || BearerTokens.Subject(principal) is not { } subject || !Holds(principal, role))
        {
            return AuthenticateResult.Fail("No token of an operator.");
        }
        return await IsSignedOut(new UserId(subject), BearerTokens.IssuedAtMs(principal))
            ? AuthenticateResult.Fail("Signed out.")
            : Admit(subject);
    }

    private static bool Holds(ClaimsPrincipal principal, AdminRole role) => principal.HasClaim(role.Claim, role.Value);

    private async ValueTask<bool> IsSignedOut(UserId user, long issuedAtMs)
    {
        var reader = Context.RequestServices.GetRequiredService<IUserReader>();
        try
        {
            var states = await reader.States([user], Context.RequestAborted);
            return states.TryGetValue(user, out var state) && issuedAtMs < state.HistoryState.NotBeforeMs;
        }
        catch (StoreUnavailableException)
        {
            return true;
        }
    }

    private static (string Name, string Password) Split(string credentials)
    {
        var sent = new byte[credentials.Length];
        if (!Convert.TryFromBase64String(credentials, sent, out var length)) return ("", "");
        var pair = Encoding.UTF8.GetString(sent, 0, length);
        var colon = pair.IndexOf(':', StringComparison.Ordinal);
        return (pair[..Math.Max(0, colon)], pair[(colon + 1)..]);
    }

    /// <summary>Hashed first, so that the time it takes tells nothing, not even the length.</summary>
    private static bool IsSame(string sent, string secret) =>
        CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(sent)), SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private static AuthenticateResult Admit(string name) =>
        AuthenticateResult.Success(
            new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], Policy)), Policy));
}
