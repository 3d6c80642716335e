using System.Buffers;
using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary>
/// What a receipt keeps of a mutation: the members of its acknowledgement that are the same for every repetition. The session adds
/// <c>lastSeq</c>, which is its own.
/// </summary>
internal static class SocketAnswers
{
    public static byte[] Write(WriteRequest request, WriteOutcome outcome)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        var relaxed = new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(bytes, relaxed))
        {
            writer.WriteStartObject();
            // One revision per entity; of several, the event and its acknowledgement carry the highest.
            if (outcome.Items.Count > 0) Item(writer, Leading(outcome.Items), named: request.Changes.Count == 1);
            if (request.Changes.Count != 1) Results(writer, outcome.Items);
            writer.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>The revision that must have been sent before this may be; 0: none.</summary>
    public static long Seq(ReadOnlySpan<byte> answer)
    {
        // Where there is one, it is the first member.
        var reader = new Utf8JsonReader(answer);
        var isThere = reader.Read()
            && reader.Read()
            && reader.TokenType == JsonTokenType.PropertyName
            && reader.ValueTextEquals("seq"u8)
            && reader.Read();
        return isThere ? reader.GetInt64() : 0;
    }

    /// <summary>The entities whose changes lost, by the answer that is kept; each once.</summary>
    public static IReadOnlyList<EntityKey> Beaten(ReadOnlyMemory<byte> answer)
    {
        using var document = JsonDocument.Parse(answer);
        var items = document.RootElement.TryGetProperty("results", out var results)
            ? results.EnumerateArray().ToList()
            : [document.RootElement];
        return [.. items.Where(IsBeaten)
            .Select(
                item => new EntityKey(item.GetProperty("entityType").GetString()!, item.GetProperty("entityId").GetString()!)).Distinct()];
    }

    /// <summary>Or merged without a revision: its sender takes over a copy as well.</summary>
    private static bool IsBeaten(JsonElement item) =>
        item.TryGetProperty("status", out var status)
        && item.TryGetProperty("entityId", out _)
        && (status.ValueEquals(ItemMessages.Word(ItemStatus.Conflict))
            || (status.ValueEquals(ItemMessages.Word(ItemStatus.Merged)) && !item.TryGetProperty("seq", out _)));

    private static ItemResult Leading(IReadOnlyList<ItemResult> items)
    {
        var leading = items[0];
        foreach (var item in items)
        {
            if (TookRevision(item) && (!TookRevision(leading) || item.Seq > leading.Seq)) leading = item;
        }

        return leading;
    }

    /// <summary>An item that lost or was refused names no revision: its sender may not have received the stream that far.</summary>
    private static bool TookRevision(ItemResult item) =>
        item.Status is not (ItemStatus.Conflict or ItemStatus.Refused) && item is { TookNoRevision: false, Seq: > 0 };

    private static void Item(Utf8JsonWriter writer, ItemResult item, bool named = false)
    {
        if (TookRevision(item)) writer.WriteNumber("seq", item.Seq);
        if (item.Version > 0) writer.WriteNumber("version", item.Version);
        if (item.Seq > 0) writer.WriteString("updatedAt", IsoTime.Text(item.UpdatedAtMs));
        writer.WriteString("status", ItemMessages.Word(item.Status));
        // A sender that lost must find the winner again when it repeats its change, and this is all that is kept.
        if (named && (item.Status is ItemStatus.Conflict || item.TookNoRevision)) Name(writer, item.Entity);
        if (item.Members is { } members) Members(writer, members);
        if (item.Status is not (ItemStatus.Conflict or ItemStatus.Refused)) return;
        var (reason, message) = ItemMessages.Why(item);
        writer.WriteString("reason", reason);
        writer.WriteString("detail", message);
    }

    private static void Members(Utf8JsonWriter writer, List<string> members)
    {
        writer.WriteStartArray("members");
        foreach (var member in members) writer.WriteStringValue(member);
        writer.WriteEndArray();
    }

    private static void Name(Utf8JsonWriter writer, EntityKey entity)
    {
        writer.WriteString("entityType", entity.Type);
        writer.WriteString("entityId", entity.Id);
    }

    private static void Results(Utf8JsonWriter writer, IReadOnlyList<ItemResult> items)
    {
        var listed = ListedItems.From(items.Where(item => item.Status is not ItemStatus.Unchanged));
        if (listed.NotListed is { } notListed) writer.WriteNumber("notListed", notListed);
        writer.WriteStartArray("results");
        foreach (var item in listed.Items)
        {
            writer.WriteStartObject();
            Name(writer, item.Entity);
            Item(writer, item);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
