using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Tokens;

namespace Mirubato.Gateway.Auth;

/// <summary>The user of a valid token, with what each call asks of its claims. Many requests share one.</summary>
internal sealed class TokenUser : ClaimsPrincipal
{
    private TokenUser(ClaimsIdentity identity, string subject)
        : base(identity)
    {
        Subject = subject;
        IssuedAtMs = BearerTokens.ParseIssuedAt(identity.FindFirst("iat")?.Value);
        Result = AuthenticateResult.Success(new AuthenticationTicket(this, JwtBearerDefaults.AuthenticationScheme));
    }

    public string Subject { get; }

    /// <summary>See <see cref="BearerTokens.IssuedAtMs"/>.</summary>
    public long IssuedAtMs { get; }

    public AuthenticateResult Result { get; }

    /// <summary>Null when the token names no usable user.</summary>
    public static TokenUser? From(TokenValidationResult result) =>
        BearerTokens.Subject(new ClaimsPrincipal(result.ClaimsIdentity)) is { } subject
            ? new TokenUser(result.ClaimsIdentity, subject)
            : null;
}
