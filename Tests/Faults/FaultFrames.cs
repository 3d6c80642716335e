using System.Globalization;
using System.Text.Json;

namespace Mirubato.Tests.Faults;

/// <summary>An entity as the server sends it. Without a marker it is deleted.</summary>
/// <param name="Raw">The whole document, for who sends it again.</param>
internal readonly record struct ReceivedEntity(FaultEntity Entity, long Version, long UpdatedMs, string? Marker, string? Raw = null)
{
    public bool IsDeleted => Marker is null;
}

/// <summary>Reads what frames and pulls say of entities.</summary>
internal static class FaultFrames
{
    public static string Iso(long ms) =>
        DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    public static IEnumerable<ReceivedEntity> Received(JsonElement frame, string user)
    {
        var name = frame.GetProperty("type").GetString()!;
        if (name is "BULK_SYNC") return Documents(frame, "entries", "logbook_entry", user);
        if (name is "REPERTOIRE_BULK_SYNC") return Documents(frame, "pieces", "repertoire_item", user);
        if (name is "ENTITY_UPDATED" or "ENTITY_DELETED") return [OfAnyType(frame)];
        if (FaultType.All.FirstOrDefault(type => type.Delete == name) is { } deleted)
        {
            return [Deleted(frame, deleted, frame.GetProperty(deleted.IdMember!).GetString()!)];
        }
        if (FaultType.All.FirstOrDefault(
            type => frame.TryGetProperty(type.Payload, out var document) && document.ValueKind is JsonValueKind.Object) is not { } live)
        {
            return [];
        }
        return [Document(frame.GetProperty(live.Payload), live, user), .. Documents(frame, "occurrences", "plan_occurrence", user)];
    }

    public static IEnumerable<ReceivedEntity> Pulled(JsonElement pull, string user)
    {
        foreach (var type in FaultType.All)
        {
            var section = type.Section is null ? pull.GetProperty("other") : pull;
            if (!section.TryGetProperty(type.Section ?? type.Name, out var documents) || documents.ValueKind is JsonValueKind.Null)
            {
                continue;
            }
            if (documents.ValueKind is JsonValueKind.Object) yield return Document(documents, type, user);
            else foreach (var document in documents.EnumerateArray()) yield return Document(document, type, user);
        }
    }

    /// <summary>The winner in an answer over HTTP: a document, or what stands for a tombstone.</summary>
    public static ReceivedEntity Winner(JsonElement server, FaultEntity entity) =>
        server.TryGetProperty("deletedAt", out var at) && at.ValueKind is not JsonValueKind.Null
            ? new ReceivedEntity(entity, server.GetProperty("version").GetInt64(), Ms(at), null)
            : Document(server, entity.Type, entity.Id);

    public static long Ms(JsonElement time) =>
        time.ValueKind is JsonValueKind.Number
            ? time.GetInt64()
            : DateTimeOffset.Parse(time.GetString()!, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();

    private static IEnumerable<ReceivedEntity> Documents(JsonElement frame, string member, string type, string user) =>
        frame.TryGetProperty(member, out var documents)
            ? documents.EnumerateArray().Select(document => Document(document, FaultType.Find(type), user))
            : [];

    private static ReceivedEntity Document(JsonElement document, FaultType type, string user)
    {
        var id = type.IsPreferences ? user : document.GetProperty(type.IdInDocument).GetString()!;
        return new ReceivedEntity(
            new FaultEntity(type, id), document.GetProperty("version").GetInt64(), Ms(document.GetProperty("updatedAt")),
            document.GetProperty("notes").GetString(), document.GetRawText());
    }

    private static ReceivedEntity OfAnyType(JsonElement frame)
    {
        var type = FaultType.Find(frame.GetProperty("entityType").GetString()!);
        var id = frame.GetProperty("entityId").GetString()!;
        return frame.TryGetProperty("entity", out var document) ? Document(document, type, id) : Deleted(frame, type, id);
    }

    private static ReceivedEntity Deleted(JsonElement frame, FaultType type, string id) =>
        new(new FaultEntity(type, id), frame.GetProperty("version").GetInt64(), Ms(frame.GetProperty("deletedAt")), null);
}
