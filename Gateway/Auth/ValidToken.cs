using System.Security.Claims;
using Microsoft.IdentityModel.Tokens;

namespace Mirubato.Gateway.Auth;

/// <summary>
/// What is kept of a token that was found valid: when it is valid, and beside it its claims. The library's own result also holds the text
/// of the token, all its parts and a copy of the rules, 4 KB in all.
/// </summary>
internal sealed class ValidToken(DateTime from, DateTime to) : SecurityToken
{
    public override string? Id => null;

    public override string? Issuer => null;

    public override SecurityKey? SecurityKey => null;

    public override SecurityKey? SigningKey { get => null; set { } }

    public override DateTime ValidFrom => from;

    public override DateTime ValidTo => to;

    /// <summary>
    /// The same result with the same claims, which many requests may read at a time. Null of a token whose <c>iss</c> is there and no text:
    /// the library makes no identity of it.
    /// </summary>
    public static TokenValidationResult? From(TokenValidationResult result)
    {
        if (result.ClaimsIdentity is not { } identity) return null;
        var token = result.SecurityToken;
        return new TokenValidationResult
        {
            IsValid = true,
            ClaimsIdentity = new CaseSensitiveClaimsIdentity(
                identity.Claims.Select(claim => new Claim(claim.Type, claim.Value, claim.ValueType)),
                identity.AuthenticationType, identity.NameClaimType, identity.RoleClaimType),
            SecurityToken = new ValidToken(token.ValidFrom, token.ValidTo),
        };
    }
}
