using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary>
/// Entities in the member form of a pull. Stored bytes go out as they are, without a serializer between: this is the path that
/// carries whole logbooks.
/// </summary>
internal static class EntitySections
{
    /// <summary>
    /// All sections of rows that are at hand: <c>"entries":[…],…,"other":{…}</c>, and <c>"deleted":[…]</c> when asked for. What stands
    /// between documents is written; each document is returned, for the caller to write there and then.
    /// </summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Documents(IBufferWriter<byte> to, IReadOnlyList<StoredRow> rows, bool withDeleted)
    {
        foreach (var type in EntityTypes.Named)
        {
            Open(to, type);
            var first = true;
            for (var i = 0; i < rows.Count; i++)
            {
                if (!IsLive(rows[i]) || rows[i].Entity.Type != type.Name) continue;
                Comma(to, ref first);
                yield return rows[i].Data;
            }

            Close(to, type, empty: first);
        }

        to.Write("\"other\":{"u8);
        foreach (var document in Others(to, rows)) yield return document;
        to.Write("}"u8);
        if (!withDeleted) yield break;
        foreach (var nothing in Deleted(to, rows)) yield return nothing;
    }

    public static void Open(IBufferWriter<byte> to, EntityType type)
    {
        Quoted(to, type.Member!);
        to.Write(IsSingle(type) ? ":"u8 : ":["u8);
    }

    public static void Close(IBufferWriter<byte> to, EntityType type, bool empty)
    {
        if (IsSingle(type)) to.Write(empty ? "null,"u8 : ","u8);
        else to.Write("],"u8);
    }

    public static void Item(IBufferWriter<byte> to, StoredRow row, ref bool first)
    {
        Comma(to, ref first);
        to.Write(row.Data.Span);
    }

    public static void Comma(IBufferWriter<byte> to, ref bool first)
    {
        if (!first) to.Write(","u8);
        first = false;
    }

    public static void Tombstone(IBufferWriter<byte> to, StoredRow row, ref bool first)
    {
        to.Write(first ? "{\"entityType\":"u8 : ",{\"entityType\":"u8);
        first = false;
        Quoted(to, row.Entity.Type);
        to.Write(",\"entityId\":"u8);
        Quoted(to, row.Entity.Id);
        to.Write(",\"deletedAt\":"u8);
        Quoted(to, IsoTime.Text(row.DeletedAtMs ?? row.UpdatedAtMs));
        to.Write(",\"seq\":"u8);
        Number(to, row.Seq);
        to.Write("}"u8);
    }

    public static void Quoted(IBufferWriter<byte> to, string text)
    {
        to.Write("\""u8);
        to.Write(JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        to.Write("\""u8);
    }

    public static void Number(IBufferWriter<byte> to, long number)
    {
        Span<byte> digits = stackalloc byte[20];
        number.TryFormat(digits, out var written, provider: System.Globalization.CultureInfo.InvariantCulture);
        to.Write(digits[..written]);
    }

    /// <summary>Preferences are one object, not a list.</summary>
    private static bool IsSingle(EntityType type) => type.Ids is IdSource.User;

    private static bool IsLive(StoredRow row) => row.DeletedAtMs is null;

    private static IEnumerable<ReadOnlyMemory<byte>> Others(IBufferWriter<byte> to, IReadOnlyList<StoredRow> rows)
    {
        var others = false;
        for (var i = 0; i < rows.Count && !others; i++) others = IsLive(rows[i]) && !EntityTypes.IsNamed(rows[i].Entity.Type);
        if (!others) yield break;

        var types = rows.Where(row => IsLive(row) && !EntityTypes.IsNamed(row.Entity.Type))
            .GroupBy(row => row.Entity.Type)
            .OrderBy(group => group.Key, StringComparer.Ordinal);
        var firstType = true;
        foreach (var type in types)
        {
            Comma(to, ref firstType);
            Quoted(to, type.Key);
            to.Write(":["u8);
            var first = true;
            foreach (var row in type)
            {
                Comma(to, ref first);
                yield return row.Data;
            }

            to.Write("]"u8);
        }
    }

    /// <summary>A tombstone has no document; nothing is returned for each, so that the caller may send what has gathered.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Deleted(IBufferWriter<byte> to, IReadOnlyList<StoredRow> rows)
    {
        to.Write(",\"deleted\":["u8);
        var first = true;
        for (var i = 0; i < rows.Count; i++)
        {
            if (IsLive(rows[i])) continue;
            Tombstone(to, rows[i], ref first);
            yield return default;
        }

        to.Write("]"u8);
    }
}
