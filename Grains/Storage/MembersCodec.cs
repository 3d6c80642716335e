using System.Text.Json;

namespace Mirubato.Grains.Storage;

/// <summary>JSON pointers as both stores keep them: a JSON list; null where a whole document is meant.</summary>
internal static class MembersCodec
{
    public static string? Write(IReadOnlyList<string>? members) => members is null ? null : JsonSerializer.Serialize(members);

    public static List<string> Read(string members) => JsonSerializer.Deserialize<List<string>>(members)!;
}
