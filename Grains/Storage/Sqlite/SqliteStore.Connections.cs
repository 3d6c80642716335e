using System.Data.Common;
using System.Text.Json;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    public ValueTask<bool> Record(
        string process, IReadOnlyList<LiveConnection> opened, IReadOnlyList<(UserId User, string ConnectionId)> closed, long nowMs, CancellationToken cancel)
    {
        const string here = """
            INSERT INTO sync_connections (user_id, connection_id, gateway_id, device_id, opened_ms) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (user_id, connection_id) DO UPDATE SET gateway_id = excluded.gateway_id, device_id = excluded.device_id
            """;
        const string gone = "DELETE FROM sync_connections WHERE user_id = ?1 AND connection_id = ?2 AND gateway_id = ?3";
        return writer.Write(session =>
        {
            var isNew = Beat(session, process, nowMs);
            foreach (var o in opened) session.Execute(here, o.User.Value, o.ConnectionId, process, o.Device?.Value, o.OpenedMs);
            foreach (var (user, id) in closed) session.Execute(gone, user.Value, id, process);
            return isNew;
        }, cancel);
    }

    public ValueTask<bool> Beat(string process, long nowMs, CancellationToken cancel) =>
        writer.Write(session => Beat(session, process, nowMs), cancel);

    public async ValueTask ForgetSilent(long seenMs, CancellationToken cancel)
    {
        const string connections = """
            DELETE FROM sync_connections WHERE rowid IN (
                SELECT rowid FROM sync_connections c WHERE NOT EXISTS (SELECT 1 FROM gateways g WHERE g.gateway_id = c.gateway_id) LIMIT ?1)
            """;
        if (await writer.Write(session => session.Execute("DELETE FROM gateways WHERE seen_ms <= ?1", seenMs), cancel) == 0) return;
        for (var step = 0; step < Ages.SweepStepsMax; step++)
        {
            if (await writer.Write(session => session.Execute(connections, Ages.SweepRowsMax), cancel) < Ages.SweepRowsMax) return;
        }
    }

    public async ValueTask Leave(string process, CancellationToken cancel) => await writer.Write(session =>
    {
        session.Execute("DELETE FROM gateways WHERE gateway_id = ?1", process);
        return session.Execute("DELETE FROM sync_connections WHERE gateway_id = ?1", process);
    }, cancel);

    public async ValueTask<IReadOnlyList<LiveConnection>> Of(UserId user, long seenAfterMs, CancellationToken cancel)
    {
        const string sql = $"""
            SELECT {StoredColumns.Connection} FROM sync_connections c JOIN gateways g USING (gateway_id)
            WHERE c.user_id = ?1 AND g.seen_ms > ?2 ORDER BY opened_ms, connection_id
            """;
        return await readers.Read(session => session.List(sql, row => StoredColumns.ConnectionOf(row, user), user.Value, seenAfterMs), cancel);
    }

    public async ValueTask<IReadOnlyDictionary<UserId, UserStanding>> Standings(IReadOnlyCollection<UserId> users, long seenAfterMs, CancellationToken cancel)
    {
        const string sql = """
            SELECT user_id, epoch, last_seq, not_before_ms,
                (SELECT count(*) FROM sync_connections c JOIN gateways g USING (gateway_id) WHERE c.user_id = m.user_id AND g.seen_ms > ?2),
                (SELECT json_group_array(device_id) FROM sync_devices d WHERE d.user_id = m.user_id AND revoked_ms IS NOT NULL)
            FROM sync_metadata m WHERE user_id IN (SELECT value FROM json_each(?1))
            """;
        var asked = JsonSerializer.Serialize(users.Select(user => user.Value));
        var found = await readers.Read(session => session.List(sql, row => (new UserId(row.GetString(0)), StandingOf(row)), asked, seenAfterMs), cancel);
        return found.ToDictionary();
    }

    private static UserStanding StandingOf(DbDataReader row) => new(
        new SyncToken(new Epoch(Guid.ParseExact(row.GetString(1), "n")), new Revision(row.GetInt64(2))), row.GetInt64(3), row.GetInt32(4),
        [.. JsonSerializer.Deserialize<string[]>(row.GetString(5))!.Select(device => new DeviceId(device))]);

    public async ValueTask Issue(ReadOnlyMemory<byte> hash, Ticket ticket, long expiresMs, CancellationToken cancel)
    {
        const string sql = """
            INSERT INTO tickets (hash, user_id, origin, token_issued_ms, token_exp_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """;
        await writer.Write(session => session.Execute(
            sql, SqliteSession.Blob(hash), ticket.User.Value, ticket.Origin, ticket.TokenIssuedAtMs, ticket.TokenExpiresMs, expiresMs), cancel);
    }

    public async ValueTask<(Ticket Ticket, long ExpiresMs)?> Redeem(ReadOnlyMemory<byte> hash, CancellationToken cancel)
    {
        const string sql = $"DELETE FROM tickets WHERE hash = ?1 RETURNING {StoredColumns.Ticket}";
        var found = await writer.Write(session => session.List(sql, StoredColumns.TicketOf, SqliteSession.Blob(hash)), cancel);
        return found is [var one] ? one : null;
    }

    private static bool Beat(SqliteSession session, string process, long nowMs)
    {
        if (session.Execute("UPDATE gateways SET seen_ms = max(seen_ms, ?2) WHERE gateway_id = ?1", process, nowMs) > 0) return false;
        session.Execute("INSERT INTO gateways (gateway_id, seen_ms) VALUES (?1, ?2)", process, nowMs);
        return true;
    }
}
