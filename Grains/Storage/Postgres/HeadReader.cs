using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>Reads what <see cref="ReadSql.Heads"/> answers. A user has few types and devices and many heads: their names are kept once per load.</summary>
internal sealed class HeadReader
{
    private readonly Dictionary<string, string> names = [];
    private readonly List<HeadRow> heads = [];
    private Standing? standing;

    /// <summary>Null when the user has no row yet.</summary>
    public static async Task<UserSnapshot?> Read(NpgsqlDataReader row, CancellationToken cancel)
    {
        var reader = new HeadReader();
        while (await row.ReadAsync(cancel)) reader.Take(row);
        return reader.standing is { } standing ? new UserSnapshot(standing, reader.heads) : null;
    }

    private void Take(NpgsqlDataReader row)
    {
        if (row.IsDBNull(0)) standing = StandingOf(row);
        else heads.Add(new HeadRow(new EntityKey(Name(row.GetString(0)), row.GetString(1)), HeadOf(row)));
    }

    private static Standing StandingOf(NpgsqlDataReader row) => new(
        new Epoch(Guid.Parse(row.GetString(11))), First: new Revision(row.GetInt64(3)), Last: new Revision(row.GetInt64(2)),
        Horizon: new Revision(row.GetInt64(4)), Bits.Read(row.GetFieldValue<byte[]>(13)), LastSyncMs: row.GetInt64(5),
        NotBeforeMs: row.GetInt64(6), CreatedMs: row.GetInt64(7), DeviceRevoked: false);

    private EntityHead HeadOf(NpgsqlDataReader row) => new()
    {
        Seq = new Revision(row.GetInt64(2)),
        Version = row.GetInt64(3),
        StampMs = row.GetInt64(4),
        ClaimMs = row.GetInt64(5),
        OutMs = row.GetInt64(6),
        PreviousOutMs = row.GetInt64(7),
        DeletedMs = row.IsDBNull(8) ? null : row.GetInt64(8),
        Bytes = row.GetInt32(9),
        Recognizable = row.GetBoolean(10),
        Device = row.IsDBNull(11) ? null : new DeviceId(Name(row.GetString(11))),
        DuplicateOf = row.IsDBNull(12) ? null : row.GetString(12),
        Fingerprint = FingerprintOf(row, 13),
        PreviousFingerprint = FingerprintOf(row, 14),
        Echoes = row.IsDBNull(15) ? [] : EchoCodec.Read(row.GetFieldValue<byte[]>(15)),
    };

    private static Fingerprint FingerprintOf(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? Fingerprint.None : new Fingerprint(Bits.Read(row.GetFieldValue<byte[]>(column)));

    private string Name(string read)
    {
        if (names.TryGetValue(read, out var kept)) return kept;
        names.Add(read, read);
        return read;
    }
}
