using System.Data.Common;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

/// <summary>Reads the heads of a load into a table, without an object or a text for each: a user may have 100,000.</summary>
internal sealed class HeadReader
{
    /// <summary>In the order in which they are read.</summary>
    public const string Columns = """
        entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms, previous_published_ms,
        deleted_ms, bytes, named_version, device_id, fingerprint, previous_fingerprint, echoes, merged_in_effective_ms, merged_in_client_ms
        """;

    private byte[] room = new byte[KeyBytes.Usual];

    public HeadTable Heads { get; } = new();

    public void Read(DbDataReader row)
    {
        var head = ReadHead(row);
        var type = ReadBytes(row, 0, at: 0);
        var id = ReadBytes(row, 1, at: type + 1);
        room[type] = 0;
        Heads.Add(room.AsSpan(0, type + 1 + id), head);
    }

    private PackedHead ReadHead(DbDataReader row) => new()
    {
        Seq = row.GetInt64(2),
        Version = row.GetInt64(3),
        EffectiveMs = row.GetInt64(4),
        ClientMs = row.GetInt64(5),
        PublishedMs = row.GetInt64(6),
        PreviousPublishedMs = row.GetInt64(7),
        DeletedMs = row.IsDBNull(8) ? null : row.GetInt64(8),
        Bytes = row.GetInt32(9),
        NamedVersion = row.IsDBNull(10) ? null : row.GetInt64(10),
        Device = row.IsDBNull(11) ? null : Heads.Devices.NumberOf(room.AsSpan(0, ReadBytes(row, 11, at: 0))),
        Fingerprint = ReadFingerprint(row, 12),
        PreviousFingerprint = ReadFingerprint(row, 13),
        Few = ReadExtras(row),
    };

    private UInt128 ReadFingerprint(DbDataReader row, int column) =>
        row.IsDBNull(column) ? UInt128.Zero : UInt128Codec.Decode(room.AsSpan(0, ReadBytes(row, column, at: 0)));

    private static PackedHead.Extras? ReadExtras(DbDataReader row)
    {
        var device = row.IsDBNull(11) || row.IsDBNull(15) ? (DeviceId?)null : new DeviceId(row.GetString(11));
        return PackedHead.Extras.From(
            row.IsDBNull(15) ? null : new ChangeTime(row.GetInt64(15), row.GetInt64(16), device),
            row.IsDBNull(14) ? [] : EchoCodec.Read(row.GetFieldValue<byte[]>(14)));
    }

    /// <summary>Reads text as UTF-8, or bytes, to the place <paramref name="at"/> of the room. Returns the length.</summary>
    private int ReadBytes(DbDataReader row, int column, int at)
    {
        while (true)
        {
            var length = (int)row.GetBytes(column, 0, room, at, room.Length - at);
            if (length < room.Length - at) return length;
            Array.Resize(ref room, room.Length * 2);
        }
    }
}
