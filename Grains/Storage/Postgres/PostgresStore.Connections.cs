using Mirubato.Grains.Interfaces;
using Npgsql;
using NpgsqlTypes;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    // The process's own row comes first and everything else joins it, so that this and whoever forgets the process lock in one order.
    // A row that was updated rather than inserted carries its locker in xmax.
    private const string Alive = """
        alive AS (
            INSERT INTO gateways (gateway_id, seen_ms) VALUES ($1, $2)
            ON CONFLICT (gateway_id) DO UPDATE SET seen_ms = greatest(gateways.seen_ms, excluded.seen_ms)
            RETURNING gateway_id, xmax = 0 AS is_new)
        """;

    public async ValueTask<bool> Record(
        string process, IReadOnlyList<LiveConnection> opened, IReadOnlyList<(UserId User, string ConnectionId)> closed, long nowMs, CancellationToken cancel)
    {
        const string sql = $"""
            WITH {Alive},
            gone AS (
                DELETE FROM sync_connections c USING alive, unnest($7, $8) AS x (user_id, connection_id)
                WHERE c.user_id = x.user_id AND c.connection_id = x.connection_id AND c.gateway_id = alive.gateway_id),
            here AS (
                INSERT INTO sync_connections (user_id, connection_id, gateway_id, device_id, opened_ms)
                SELECT o.user_id, o.connection_id, alive.gateway_id, o.device_id, o.opened_ms
                FROM alive, unnest($3, $4, $5, $6) AS o (user_id, connection_id, device_id, opened_ms)
                ON CONFLICT (user_id, connection_id) DO UPDATE SET gateway_id = excluded.gateway_id, device_id = excluded.device_id)
            SELECT is_new FROM alive
            """;
        var news = Opened(opened, closed);
        return await One(sql, p =>
        {
            p.Text(process);
            p.Bigint(nowMs);
            p.Texts([.. news.Select(o => o.User.Value)]);
            p.Texts([.. news.Select(o => o.ConnectionId)]);
            p.Texts([.. news.Select(o => o.Device?.Value)]);
            p.Bigints([.. news.Select(o => o.OpenedMs)]);
            p.Texts([.. closed.Select(c => c.User.Value)]);
            p.Texts([.. closed.Select(c => c.ConnectionId)]);
        }, row => row.GetBoolean(0), cancel);
    }

    public async ValueTask<bool> Beat(string process, long nowMs, CancellationToken cancel) =>
        await One($"WITH {Alive} SELECT is_new FROM alive", p => { p.Text(process); p.Bigint(nowMs); }, row => row.GetBoolean(0), cancel);

    // The process first: if it still lives it finds itself new, and says everything again. Whoever did so in between keeps what it said.
    public async ValueTask ForgetSilent(long seenMs, CancellationToken cancel)
    {
        const string connections = """
            DELETE FROM sync_connections WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM sync_connections c WHERE gateway_id = ANY ($1)
                    AND NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = c.gateway_id) LIMIT $2 FOR UPDATE SKIP LOCKED))
            """;
        var silent = await List("DELETE FROM gateways WHERE seen_ms <= $1 RETURNING gateway_id", p => p.Bigint(seenMs), row => row.GetString(0), cancel);
        if (silent.Count == 0) return;
        for (var step = 0; step < Ages.SweepStepsMax; step++)
        {
            var gone = await Execute(connections, p => { p.Texts([.. silent]); p.Integer(Ages.SweepRowsMax); }, cancel);
            if (gone < Ages.SweepRowsMax) return;
        }
    }

    public async ValueTask Leave(string process, CancellationToken cancel)
    {
        const string sql = """
            WITH gone AS (DELETE FROM gateways WHERE gateway_id = $1) DELETE FROM sync_connections WHERE gateway_id = $1
            """;
        await Execute(sql, p => p.Text(process), cancel);
    }

    public async ValueTask<IReadOnlyList<LiveConnection>> Of(UserId user, long seenAfterMs, CancellationToken cancel)
    {
        const string sql = $"""
            SELECT {StoredColumns.Connection} FROM sync_connections c JOIN gateways g USING (gateway_id)
            WHERE c.user_id = $1 AND g.seen_ms > $2 ORDER BY opened_ms, connection_id
            """;
        return await List(sql, p => { p.Text(user.Value); p.Bigint(seenAfterMs); }, row => StoredColumns.ConnectionOf(row, user), cancel);
    }

    public async ValueTask<IReadOnlyDictionary<UserId, UserStanding>> Standings(IReadOnlyCollection<UserId> users, long seenAfterMs, CancellationToken cancel)
    {
        const string sql = """
            SELECT user_id, epoch, last_seq, not_before_ms,
                (SELECT count(*) FROM sync_connections c JOIN gateways g USING (gateway_id) WHERE c.user_id = m.user_id AND g.seen_ms > $2)::int,
                ARRAY(SELECT device_id FROM sync_devices d WHERE d.user_id = m.user_id AND revoked_ms IS NOT NULL)
            FROM sync_metadata m WHERE user_id = ANY ($1)
            """;
        if (users.Count == 0) return new Dictionary<UserId, UserStanding>();
        var found = await List(sql, p => { p.Texts([.. users.Select(user => user.Value)]); p.Bigint(seenAfterMs); }, row => (new UserId(row.GetString(0)), StandingOf(row)), cancel);
        return found.ToDictionary();
    }

    private static UserStanding StandingOf(NpgsqlDataReader row) => new(
        new SyncToken(new Epoch(row.GetGuid(1)), new Revision(row.GetInt64(2))), row.GetInt64(3), row.GetInt32(4),
        [.. row.GetFieldValue<string[]>(5).Select(device => new DeviceId(device))]);

    public async ValueTask Issue(ReadOnlyMemory<byte> hash, Ticket ticket, long expiresMs, CancellationToken cancel)
    {
        const string sql = """
            INSERT INTO tickets (hash, user_id, origin, token_issued_ms, token_exp_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6)
            """;
        await Execute(sql, p =>
        {
            p.Bytea(hash.ToArray());
            p.Text(ticket.User.Value);
            p.Add(new NpgsqlParameter { Value = (object?)ticket.Origin ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
            p.Bigint(ticket.TokenIssuedAtMs);
            p.Bigint(ticket.TokenExpiresMs);
            p.Bigint(expiresMs);
        }, cancel);
    }

    public async ValueTask<(Ticket Ticket, long ExpiresMs)?> Redeem(ReadOnlyMemory<byte> hash, CancellationToken cancel)
    {
        const string sql = $"DELETE FROM tickets WHERE hash = $1 RETURNING {StoredColumns.Ticket}";
        var found = await List(sql, p => p.Bytea(hash.ToArray()), StoredColumns.TicketOf, cancel);
        return found is [var one] ? one : null;
    }

    /// <summary>Connections of a process that was forgotten by one that died while doing so. Nobody sees them; they only take room.</summary>
    private static async Task ForgetOrphans(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string sql = """
            DELETE FROM sync_connections WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM sync_connections c WHERE NOT EXISTS (SELECT FROM gateways g WHERE g.gateway_id = c.gateway_id)
                LIMIT $1 FOR UPDATE SKIP LOCKED))
            """;
        for (var step = 0; step < Ages.SweepStepsMax; step++)
        {
            if (await Run(connection, sql, p => p.Integer(Ages.SweepRowsMax), cancel) < Ages.SweepRowsMax) return;
        }
    }

    /// <summary>One upsert takes a key once, and cannot delete what it inserts.</summary>
    private static List<LiveConnection> Opened(IReadOnlyList<LiveConnection> opened, IReadOnlyList<(UserId User, string ConnectionId)> closed)
    {
        var gone = closed.ToHashSet();
        return [.. opened.Where(o => !gone.Contains((o.User, o.ConnectionId))).DistinctBy(o => (o.User, o.ConnectionId))];
    }

    private async ValueTask<T> One<T>(string sql, Action<NpgsqlParameterCollection> with, Func<NpgsqlDataReader, T> read, CancellationToken cancel) =>
        (await List(sql, with, read, cancel))[0];
}
