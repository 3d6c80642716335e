using System.Data.Common;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

/// <summary>Reads the heads of a load. A user has few types and devices and many heads: their names are kept once per load.</summary>
internal sealed class HeadReader
{
    /// <summary>In the order in which they are read.</summary>
    public const string Columns = """
        entity_type, entity_id, seq, version, stamp_ms, claim_ms, out_ms, previous_out_ms,
        deleted_ms, bytes, named_version, device_id, fingerprint, previous_fingerprint, echoes
        """;

    private readonly Dictionary<string, string> names = [];
    private readonly List<HeadRow> heads = [];

    public IReadOnlyList<HeadRow> Heads => heads;

    public void Take(DbDataReader row) => heads.Add(new HeadRow(new EntityKey(Name(row.GetString(0)), row.GetString(1)), HeadOf(row)));

    private EntityHead HeadOf(DbDataReader row) => new()
    {
        Seq = new Revision(row.GetInt64(2)),
        Version = row.GetInt64(3),
        StampMs = row.GetInt64(4),
        ClaimMs = row.GetInt64(5),
        OutMs = row.GetInt64(6),
        PreviousOutMs = row.GetInt64(7),
        DeletedMs = row.IsDBNull(8) ? null : row.GetInt64(8),
        Bytes = row.GetInt32(9),
        NamedVersion = row.IsDBNull(10) ? null : row.GetInt64(10),
        Device = row.IsDBNull(11) ? null : new DeviceId(Name(row.GetString(11))),
        Fingerprint = FingerprintOf(row, 12),
        PreviousFingerprint = FingerprintOf(row, 13),
        Echoes = row.IsDBNull(14) ? [] : EchoCodec.Read(row.GetFieldValue<byte[]>(14)),
    };

    private static Fingerprint FingerprintOf(DbDataReader row, int column) =>
        row.IsDBNull(column) ? Fingerprint.None : new Fingerprint(Bits.Read(row.GetFieldValue<byte[]>(column)));

    private string Name(string read)
    {
        if (names.TryGetValue(read, out var kept)) return kept;
        names.Add(read, read);
        return read;
    }
}
