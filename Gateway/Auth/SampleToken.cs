using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Auth;

/// <summary>A token to try a server with, as its own rules want it. Only where tokens are signed with a shared secret.</summary>
internal static class SampleToken
{
    public static string For(string user, AuthOptions auth, DateTimeOffset now, TimeSpan life) =>
        new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Claims = new Dictionary<string, object> { ["sub"] = user, ["email"] = $"{user}@example.com" },
            IssuedAt = now.UtcDateTime,
            Expires = now.UtcDateTime + life,
            Issuer = auth.Issuer,
            Audience = auth.Audience,
            SigningCredentials = new SigningCredentials(
            new SymmetricSecurityKey(Encoding.UTF8.GetBytes(auth.Secret!)), SecurityAlgorithms.HmacSha256),
        });
}
