using System.Text.Json;

namespace Mirubato.Cli.Http;

internal static class JsonMembers
{
    /// <summary>A member as text; null when it is absent or null.</summary>
    public static string? Text(this JsonElement of, string member) =>
        of.TryGetProperty(member, out var value) && value.ValueKind is not JsonValueKind.Null ? value.ToString() : null;

    public static IEnumerable<JsonElement> List(this JsonElement of, string member) =>
        of.TryGetProperty(member, out var value) && value.ValueKind is JsonValueKind.Array ? value.EnumerateArray() : [];

    public static bool Flag(this JsonElement of, string member) =>
        of.TryGetProperty(member, out var value) && value.ValueKind is JsonValueKind.True;
}
