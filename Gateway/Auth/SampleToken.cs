using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Mirubato.Gateway.Auth;

/// <summary>A token to try a development server with.</summary>
internal static class SampleToken
{
    public static string For(string user, string secret, DateTimeOffset now) => new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
    {
        Claims = new Dictionary<string, object> { ["sub"] = user, ["email"] = $"{user}@example.com" },
        IssuedAt = now.UtcDateTime,
        Expires = now.UtcDateTime.AddDays(1),
        SigningCredentials = new SigningCredentials(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(secret)), SecurityAlgorithms.HmacSha256),
    });
}
