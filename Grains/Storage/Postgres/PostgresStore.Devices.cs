namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    public async ValueTask<bool> SeeDevice(UserId user, DeviceId device, long lastSeq, int devicesMax, long nowMs, CancellationToken cancel)
    {
        const string seen = """
            UPDATE sync_devices SET last_seen_ms = greatest(last_seen_ms, $3), last_seq = greatest(last_seq, $4)
            WHERE user_id = $1 AND device_id = $2
            """;
        if (await Execute(seen, cancel, user.Value, device.Value, nowMs, lastSeq) > 0) return true;
        await Provision(user, nowMs, cancel);
        return await AddDevice(user, device, lastSeq, devicesMax, nowMs, cancel);
    }

    public async ValueTask<bool> RevokeDevice(UserId user, DeviceId device, long? revokedMs, CancellationToken cancel)
    {
        const string revocation = "UPDATE sync_devices SET revoked_ms = $3 WHERE user_id = $1 AND device_id = $2";
        var found = false;
        await Locked(user, async (connection, _, token) =>
        {
            found = await Run(connection, revocation, token, user.Value, device.Value, revokedMs) > 0;
            if (found) await Run(connection, "UPDATE sync_metadata SET rights = rights + 1 WHERE user_id = $1", token, user.Value);
        }, cancel);
        return found;
    }

    public async ValueTask SignOut(UserId user, long notBeforeMs, CancellationToken cancel)
    {
        const string sql = "UPDATE sync_metadata SET not_before_ms = greatest(not_before_ms, $2), rights = rights + 1 WHERE user_id = $1";
        while (await Execute(sql, cancel, user.Value, notBeforeMs) == 0) await Provision(user, notBeforeMs, cancel);
    }

    // Under the user's lock, so that two new devices at once do not both take the last place.
    private async ValueTask<bool> AddDevice(
        UserId user, DeviceId device, long lastSeq, int devicesMax, long nowMs, CancellationToken cancel)
    {
        const string sql = """
            INSERT INTO sync_devices (user_id, device_id, first_seen_ms, last_seen_ms, last_seq)
            SELECT $1, $2, $3, $3, $4 WHERE (SELECT count(*) FROM sync_devices WHERE user_id = $1 AND device_id <> $2) < $5
            ON CONFLICT (user_id, device_id) DO UPDATE SET
                last_seen_ms = greatest(sync_devices.last_seen_ms, excluded.last_seen_ms),
                last_seq = greatest(sync_devices.last_seq, excluded.last_seq)
            """;
        var added = false;
        await Locked(user, async (connection, _, token) =>
            added = await Run(connection, sql, token, user.Value, device.Value, nowMs, lastSeq, devicesMax) > 0, cancel);
        return added;
    }
}
