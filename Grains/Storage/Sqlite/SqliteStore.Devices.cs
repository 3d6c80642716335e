namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    public ValueTask<bool> SeeDevice(UserId user, DeviceId device, long lastSeq, int devicesMax, long nowMs, CancellationToken cancel)
    {
        const string sql = """
            INSERT INTO sync_devices (user_id, device_id, first_seen_ms, last_seen_ms, last_seq)
            SELECT $1, $2, $3, $3, $4 WHERE (SELECT count(*) FROM sync_devices WHERE user_id = $1 AND device_id <> $2) < $5
                OR EXISTS (SELECT 1 FROM sync_devices WHERE user_id = $1 AND device_id = $2)
            ON CONFLICT (user_id, device_id) DO UPDATE SET
                last_seen_ms = max(last_seen_ms, excluded.last_seen_ms), last_seq = max(last_seq, excluded.last_seq)
            """;
        return writer.Write(session =>
        {
            // The user's row counts what is done to the device.
            Provision(session, user, nowMs);
            return session.Execute(sql, user.Value, device.Value, nowMs, lastSeq, devicesMax) > 0;
        }, cancel);
    }

    public ValueTask<bool> RevokeDevice(UserId user, DeviceId device, long? revokedMs, CancellationToken cancel)
    {
        const string revocation = "UPDATE sync_devices SET revoked_ms = $3 WHERE user_id = $1 AND device_id = $2";
        return writer.Write(session =>
        {
            var found = session.Execute(revocation, user.Value, device.Value, revokedMs) > 0;
            if (found) session.Execute("UPDATE sync_metadata SET rights = rights + 1 WHERE user_id = $1", user.Value);
            return found;
        }, cancel);
    }

    public async ValueTask SignOut(UserId user, long notBeforeMs, CancellationToken cancel)
    {
        const string sql = "UPDATE sync_metadata SET not_before_ms = max(not_before_ms, $2), rights = rights + 1 WHERE user_id = $1";
        await writer.Write(session =>
        {
            Provision(session, user, notBeforeMs);
            return session.Execute(sql, user.Value, notBeforeMs);
        }, cancel);
    }
}
