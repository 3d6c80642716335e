using System.Data.Common;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

/// <summary>Reads the heads of a load.</summary>
internal static class HeadReader
{
    /// <summary>In the order in which they are read.</summary>
    public const string Columns = """
        entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms, previous_published_ms,
        deleted_ms, bytes, named_version, device_id, fingerprint, previous_fingerprint, echoes, merged_in_effective_ms, merged_in_client_ms
        """;

    public static HeadRow Read(DbDataReader row) => new(new EntityKey(row.GetString(0), row.GetString(1)), ReadHead(row));

    private static EntityHead ReadHead(DbDataReader row)
    {
        var head = ReadTimes(row);
        return row.IsDBNull(15) ? head : head with { MergedIn = new ChangeTime(row.GetInt64(15), row.GetInt64(16), head.Device) };
    }

    private static EntityHead ReadTimes(DbDataReader row) => new()
    {
        Seq = new Revision(row.GetInt64(2)),
        Version = row.GetInt64(3),
        EffectiveMs = row.GetInt64(4),
        ClientMs = row.GetInt64(5),
        PublishedMs = row.GetInt64(6),
        PreviousPublishedMs = row.GetInt64(7),
        DeletedMs = row.IsDBNull(8) ? null : row.GetInt64(8),
        Bytes = row.GetInt32(9),
        NamedVersion = row.IsDBNull(10) ? null : row.GetInt64(10),
        Device = row.IsDBNull(11) ? null : new DeviceId(row.GetString(11)),
        Fingerprint = ReadFingerprint(row, 12),
        PreviousFingerprint = ReadFingerprint(row, 13),
        Echoes = row.IsDBNull(14) ? [] : EchoCodec.Read(row.GetFieldValue<byte[]>(14)),
    };

    private static Fingerprint ReadFingerprint(DbDataReader row, int column) =>
        row.IsDBNull(column) ? Fingerprint.None : new Fingerprint(UInt128Codec.Decode(row.GetFieldValue<byte[]>(column)));
}
