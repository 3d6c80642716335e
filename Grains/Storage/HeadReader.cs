using System.Data.Common;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

/// <summary>Reads the heads of a load into a table, without objects and texts for each: a user may have 100,000.</summary>
internal abstract class HeadReader
{
    /// <summary>In the order in which they are read.</summary>
    public const string Columns = """
        entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms, previous_published_ms,
        deleted_ms, bytes, named_version, device_id, fingerprint, previous_fingerprint, echoes, merged_in_effective_ms, merged_in_client_ms
        """;

    private readonly Names types = new();
    private byte[] key = new byte[KeyBytes.Usual];

    public HeadTable Heads { get; } = new();

    public void Read(DbDataReader row)
    {
        var head = ReadHead(row);
        var typeBytes = Bytes(row, 0);
        var type = types[types.NumberOf(typeBytes)];
        var length = Append(0, typeBytes);
        length = Append(length, [0]);
        length = Append(length, Bytes(row, 1));
        Heads.Add(key.AsSpan(0, length), type, head);
    }

    /// <summary>A text in UTF-8, or bytes; until the next call.</summary>
    protected abstract ReadOnlySpan<byte> Bytes(DbDataReader row, int column);

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
        Device = row.IsDBNull(11) ? null : Heads.Devices.NumberOf(Bytes(row, 11)),
        Fingerprint = ReadFingerprint(row, 12),
        PreviousFingerprint = ReadFingerprint(row, 13),
        Few = ReadExtras(row),
    };

    private UInt128 ReadFingerprint(DbDataReader row, int column) =>
        row.IsDBNull(column) ? UInt128.Zero : UInt128Codec.Decode(Bytes(row, column));

    private static PackedHead.Extras? ReadExtras(DbDataReader row)
    {
        var device = row.IsDBNull(11) || row.IsDBNull(15) ? (DeviceId?)null : new DeviceId(row.GetString(11));
        return PackedHead.Extras.From(
            row.IsDBNull(15) ? null : new ChangeTime(row.GetInt64(15), row.GetInt64(16), device),
            row.IsDBNull(14) ? [] : EchoCodec.Read(row.GetFieldValue<byte[]>(14)));
    }

    private int Append(int at, ReadOnlySpan<byte> part)
    {
        if (at + part.Length > key.Length) Array.Resize(ref key, 2 * (at + part.Length));
        part.CopyTo(key.AsSpan(at));
        return at + part.Length;
    }
}
