using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mirubato.Bench.Http;

namespace Mirubato.Tests.Bench;

public sealed class BearerTokenTests
{
    private const string Secret = "0123456789abcdef0123456789abcdef";
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Fact]
    public void A_token_names_the_user_and_its_times_and_nothing_else()
    {
        var parts = BearerToken.Sign(Secret, "user-1", Now, TimeSpan.FromHours(1)).Split('.');
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));

        Assert.Equal("""{"alg":"HS256","typ":"JWT"}""", Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[0])));
        Assert.Equal(["sub", "email", "iat", "exp"], claims.RootElement.EnumerateObject().Select(claim => claim.Name));
        Assert.Equal("user-1", claims.RootElement.GetProperty("sub").GetString());
        Assert.Equal(1_800_003_600, claims.RootElement.GetProperty("exp").GetInt64());
    }

    [Fact]
    public void The_signature_is_the_secrets_HMAC_over_the_first_two_parts()
    {
        var token = BearerToken.Sign(Secret, "user-1", Now, TimeSpan.FromHours(1));
        var dot = token.LastIndexOf('.');
        var expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.ASCII.GetBytes(token[..dot]));

        Assert.Equal(expected, Base64Url.DecodeFromChars(token.AsSpan(dot + 1)));
    }
}
