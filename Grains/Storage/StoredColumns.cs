using System.Data.Common;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

/// <summary>The columns both stores select for a record, and the record they make.</summary>
internal static class StoredColumns
{
    public const string Row = "entity_type, entity_id, seq, version, published_ms, deleted_ms, data";
    public const string Receipt = "raw_hash, request_hash, status, response, expires_ms";

    /// <summary>Of sync_conflicts, which the statement calls so.</summary>
    public const string Conflict = """
        id, entity_type, entity_id, reason, winner_version, device_id, created_ms,
        coalesce(document, (
            SELECT v.data FROM sync_versions v WHERE v.user_id = sync_conflicts.user_id AND v.entity_type = sync_conflicts.entity_type
                AND v.entity_id = sync_conflicts.entity_id AND v.version = sync_conflicts.replaced_version)),
        members
        """;

    public static StoredRow ReadRow(DbDataReader row) => new(
        new EntityKey(row.GetString(0), row.GetString(1)), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4),
        row.IsDBNull(5) ? null : row.GetInt64(5),
        row.IsDBNull(6) ? default(ReadOnlyMemory<byte>) : row.GetFieldValue<byte[]>(6));

    public static ConflictReport ReadConflict(DbDataReader row) => new(
        row.GetString(0), new EntityKey(row.GetString(1), row.GetString(2)), row.GetString(3), row.GetInt64(4),
        row.IsDBNull(5) ? null : new DeviceId(row.GetString(5)), row.GetInt64(6), row.GetFieldValue<byte[]>(7))
    {
        Members = row.IsDBNull(8) ? null : MembersCodec.Read(row.GetString(8)),
    };

    /// <summary>device_id, name, first_seen_ms, last_seen_ms, last_seq, revoked_ms. Who is live the coordinator knows.</summary>
    public static DeviceReport ReadDevice(DbDataReader row) => new(
        new DeviceId(row.GetString(0)), row.IsDBNull(1) ? null : row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4),
        row.IsDBNull(5) ? null : row.GetInt64(5), Live: false);

    public static Receipt ReadReceipt(DbDataReader row, WriteScope scope, string key) => new(
        scope, key, row.GetFieldValue<byte[]>(0), row.GetFieldValue<byte[]>(1), row.GetInt32(2), row.GetFieldValue<byte[]>(3),
        row.GetInt64(4));
}
