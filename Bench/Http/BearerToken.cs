using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Mirubato.Bench.Http;

/// <summary>A token as Mirubato's login issues it: HS256 with sub, email, iat and exp.</summary>
internal static class BearerToken
{
    private static readonly string Header = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8);

    public static string Sign(string secret, string user, DateTimeOffset now, TimeSpan lifetime)
    {
        var claims = JsonSerializer.SerializeToUtf8Bytes(new
        {
            sub = user,
            email = $"{user}@bench.invalid",
            iat = now.ToUnixTimeSeconds(),
            exp = (now + lifetime).ToUnixTimeSeconds(),
        });
        var signed = $"{Header}.{Base64Url.EncodeToString(claims)}";
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(signed));
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }
}
