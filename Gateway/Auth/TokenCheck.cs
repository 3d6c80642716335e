using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Mirubato.Gateway.Auth;

/// <summary>What a valid token says. Times in Unix ms.</summary>
internal sealed record TokenFacts(UserId User, long IssuedAtMs, long ExpiresMs);

/// <summary>Checks a token that came by another way than the header, by the very rules of the header's.</summary>
internal sealed class TokenCheck(IOptionsMonitor<JwtBearerOptions> options, RememberingTokenHandler handler)
{
    /// <summary>Null when it does not count. Throws when its authority cannot be asked.</summary>
    public async ValueTask<TokenFacts?> Check(string token)
    {
        var result = await handler.ValidateTokenAsync(token, options.Get(JwtBearerDefaults.AuthenticationScheme).TokenValidationParameters);
        if (result.Exception is AuthorityUnavailableException) throw new RequestRefusedException(Problem.AuthorityUnavailable);
        return result.IsValid ? Facts(new ClaimsPrincipal(result.ClaimsIdentity), result.SecurityToken) : null;
    }

    private static TokenFacts? Facts(ClaimsPrincipal principal, SecurityToken token) =>
        BearerTokens.Subject(principal) is { } subject
            ? new TokenFacts(
                new UserId(subject), BearerTokens.IssuedAtMs(principal),
                new DateTimeOffset(token.ValidTo, TimeSpan.Zero).ToUnixTimeMilliseconds())
            : null;
}
