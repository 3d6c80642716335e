using Mirubato.Grains.Interfaces;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    public async ValueTask<IReadOnlyList<DeviceReport>> Devices(UserId user, CancellationToken cancel)
    {
        const string sql = """
            SELECT device_id, name, first_seen_ms, last_seen_ms, last_seq, revoked_ms, EXISTS (
                SELECT FROM sync_connections c JOIN gateways g USING (gateway_id)
                WHERE c.user_id = d.user_id AND c.device_id = d.device_id AND g.seen_ms > (SELECT max(seen_ms) FROM gateways) - $2)
            FROM sync_devices d WHERE user_id = $1 ORDER BY device_id
            """;
        return await List(sql, p => { p.Text(user.Value); p.Bigint(Ages.GatewaySilenceMs); }, StoredColumns.DeviceOf, cancel);
    }

    public async ValueTask<(int Devices, int Connections)> Presence(UserId user, long nowMs, CancellationToken cancel)
    {
        const string sql = """
            SELECT (SELECT count(*)::int FROM sync_devices WHERE user_id = $1 AND revoked_ms IS NULL),
                   (SELECT count(*)::int FROM sync_connections c JOIN gateways g USING (gateway_id) WHERE c.user_id = $1 AND g.seen_ms > $2)
            """;
        var found = await List(sql, p => { p.Text(user.Value); p.Bigint(nowMs - Ages.GatewaySilenceMs); },
            row => (row.GetInt32(0), row.GetInt32(1)), cancel);
        return found[0];
    }

    public async ValueTask<bool> SeeDevice(UserId user, DeviceId device, long lastSeq, int devicesMax, long nowMs, CancellationToken cancel)
    {
        const string seen = """
            UPDATE sync_devices SET last_seen_ms = greatest(last_seen_ms, $3), last_seq = greatest(last_seq, $4)
            WHERE user_id = $1 AND device_id = $2
            """;
        void Parameters(NpgsqlParameterCollection p)
        {
            p.Text(user.Value);
            p.Text(device.Value);
            p.Bigint(nowMs);
            p.Bigint(lastSeq);
        }

        if (await Execute(seen, Parameters, cancel) > 0) return true;
        await Provision(user, nowMs, cancel);
        return await AddDevice(user, Parameters, devicesMax, cancel);
    }

    public async ValueTask<bool> RevokeDevice(UserId user, DeviceId device, long? revokedMs, CancellationToken cancel)
    {
        const string revocation = "UPDATE sync_devices SET revoked_ms = $3 WHERE user_id = $1 AND device_id = $2";
        var found = false;
        await Locked(user, async (connection, _, token) =>
        {
            found = await Run(connection, revocation, p => { p.Text(user.Value); p.Text(device.Value); p.OptionalBigint(revokedMs); }, token) > 0;
            if (found) await Run(connection, "UPDATE sync_metadata SET rights = rights + 1 WHERE user_id = $1", p => p.Text(user.Value), token);
        }, cancel);
        return found;
    }

    public async ValueTask SignOut(UserId user, long notBeforeMs, CancellationToken cancel)
    {
        const string sql = "UPDATE sync_metadata SET not_before_ms = greatest(not_before_ms, $2), rights = rights + 1 WHERE user_id = $1";
        while (await Execute(sql, p => { p.Text(user.Value); p.Bigint(notBeforeMs); }, cancel) == 0) await Provision(user, notBeforeMs, cancel);
    }

    // Under the user's lock, so that two new devices at once do not both take the last place.
    private async ValueTask<bool> AddDevice(UserId user, Action<NpgsqlParameterCollection> with, int devicesMax, CancellationToken cancel)
    {
        const string sql = """
            INSERT INTO sync_devices (user_id, device_id, first_seen_ms, last_seen_ms, last_seq)
            SELECT $1, $2, $3, $3, $4 WHERE (SELECT count(*) FROM sync_devices WHERE user_id = $1 AND device_id <> $2) < $5
            ON CONFLICT (user_id, device_id) DO UPDATE SET
                last_seen_ms = greatest(sync_devices.last_seen_ms, excluded.last_seen_ms),
                last_seq = greatest(sync_devices.last_seq, excluded.last_seq)
            """;
        var added = false;
        await Locked(user, async (connection, _, token) => added = await Run(connection, sql, p => { with(p); p.Integer(devicesMax); }, token) > 0, cancel);
        return added;
    }
}
