using System.Text;
using System.Text.Json;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>The documents of the model: members by their JSON pointer, two of them inside an object.</summary>
internal static class ModelDocument
{
    public const string Title = "/title";
    public const string Settings = "/settings";

    public static readonly string[] Pointers = [Title, "/notes", "/settings/tempo", "/settings/key"];

    /// <summary>An object without members is a leaf; it is not the same as none.</summary>
    public static Dictionary<string, string> Leaves(ReadOnlyMemory<byte> document)
    {
        var leaves = new Dictionary<string, string>();
        if (document.IsEmpty) return leaves;
        using var parsed = JsonDocument.Parse(document);
        foreach (var pointer in Pointers)
        {
            var at = parsed.RootElement;
            if (pointer[1..].Split('/').All(name => at.ValueKind is JsonValueKind.Object && at.TryGetProperty(name, out at))
                && at.ValueKind is JsonValueKind.String)
            {
                leaves[pointer] = at.GetString()!;
            }
        }

        var hasObject = parsed.RootElement.TryGetProperty(Settings[1..], out var settings) && settings.ValueKind is JsonValueKind.Object;
        if (hasObject && !settings.EnumerateObject().Any()) leaves[Settings] = "{}";
        return leaves;
    }

    /// <summary>What is merged by itself: inside an object only where all three documents have one.</summary>
    public static IEnumerable<string> Units(params ReadOnlyMemory<byte>[] documents) =>
        documents.All(document => document.Span.IndexOf("\"settings\":{"u8) >= 0) ? Pointers : [Title, "/notes", Settings];

    /// <summary>The value at a pointer, an object as the list of its members; null when it is absent.</summary>
    public static string? Value(Dictionary<string, string> leaves, string pointer)
    {
        if (pointer != Settings) return leaves.GetValueOrDefault(pointer);
        var inside = Pointers.Where(p => p.StartsWith(Settings, StringComparison.Ordinal) && leaves.ContainsKey(p));
        var members = inside.Select(p => leaves[p] + p).ToList();
        return members.Count == 0 ? leaves.GetValueOrDefault(Settings) : string.Join(',', members);
    }

    /// <summary>An edit of the whole document.</summary>
    public static Item Edit(EntityKey entity, Dictionary<string, string> leaves, long? clientMs, long? baseVersion)
    {
        var clock = clientMs is null ? "" : $",\"updatedAt\":{clientMs}";
        var title = leaves.TryGetValue(Title, out var value) ? $",\"title\":\"{value}\"" : "";
        var document = $"{{\"id\":\"{entity.Id}\"{title}{Rest(leaves)}{clock}}}";
        return new Item(entity.Type, entity.Id, Encoding.UTF8.GetBytes(document), BaseVersion: baseVersion);
    }

    /// <summary>The members beside the title, as a document has them.</summary>
    public static string Rest(Dictionary<string, string> leaves)
    {
        var notes = leaves.TryGetValue("/notes", out var value) ? $",\"notes\":\"{value}\"" : "";
        var settings = leaves.Where(leaf => leaf.Key.StartsWith("/settings/", StringComparison.Ordinal))
            .Select(leaf => $"\"{leaf.Key["/settings/".Length..]}\":\"{leaf.Value}\"")
            .ToList();
        return settings.Count == 0 && !leaves.ContainsKey(Settings) ? notes : $"{notes},\"settings\":{{{string.Join(',', settings)}}}";
    }
}
