using System.Buffers.Text;
using System.Text.Json;

namespace Mirubato.Gateway.Auth;

/// <summary>
/// What the framework lets pass in a token, and two readers could take for two things: members that come twice (RFC 7519, 4), claims of
/// another JSON type than the standard's, extensions that must be understood (<c>crit</c>), and an <c>iat</c> in the future, which would
/// outlive a sign-out.
/// </summary>
internal static class TokenForm
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };
    private static readonly string[] Times = ["exp", "nbf", "iat"];

    /// <summary>Why the token does not count; null when its form is right. Its signature is not checked here.</summary>
    /// <param name="latestIssue">An <c>iat</c> after this is refused.</param>
    public static string? Flaw(string token, IEnumerable<string> algorithms, DateTimeOffset latestIssue)
    {
        var parts = token.Split('.');
        if (parts.Length != 3) return "It has not three parts.";
        try
        {
            using var header = Read(parts[0]);
            using var payload = Read(parts[1]);
            return FindHeaderFlaw(header.RootElement, algorithms) ?? FindClaimsFlaw(payload.RootElement, latestIssue);
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException)
        {
            return "It is not two JSON objects, whose members come once, and a signature.";
        }
    }

    private static JsonDocument Read(string part) => JsonDocument.Parse(Base64Url.DecodeFromChars(part), Strict);

    private static string? FindHeaderFlaw(JsonElement header, IEnumerable<string> algorithms)
    {
        if (header.TryGetProperty("crit", out _)) return "It names an extension that must be understood (crit), and none is.";
        return header.TryGetProperty("alg", out var alg) && alg.ValueKind is JsonValueKind.String && algorithms.Contains(alg.GetString())
            ? null
            : "Its algorithm is not allowed.";
    }

    private static string? FindClaimsFlaw(JsonElement claims, DateTimeOffset latestIssue)
    {
        if (!claims.TryGetProperty("sub", out var sub) || sub.ValueKind is not JsonValueKind.String) return "Its sub is not one text.";
        foreach (var name in Times)
        {
            if (claims.TryGetProperty(name, out var time) && time.ValueKind is not JsonValueKind.Number)
            {
                return $"Its {name} is not a number.";
            }
        }

        return claims.TryGetProperty("iat", out var issued) && !(issued.GetDouble() <= latestIssue.ToUnixTimeMilliseconds() / 1000.0)
            ? "Its iat is in the future."
            : null;
    }
}
