using System.Globalization;
using Mirubato.Grains.Interfaces;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    public async ValueTask<UserSnapshot> Load(UserId user, Revision after, long nowMs, CancellationToken cancel)
    {
        while (true)
        {
            var snapshot = await Read(ReadSql.Heads, p => { p.Text(user.Value); p.Bigint(after.Number); }, SnapshotOf, cancel);
            if (snapshot is not null) return snapshot;
            await Provision(user, nowMs, cancel);
        }
    }

    public async ValueTask<Standing> Standing(UserId user, DeviceId? device, long nowMs, CancellationToken cancel)
    {
        while (true)
        {
            var standing = await Read(ReadSql.Standing, p => { p.Text(user.Value); p.Text(device?.Value); }, StandingOf, cancel);
            if (standing is not null) return standing;
            await Provision(user, nowMs, cancel);
        }
    }

    public async ValueTask<UserState> State(UserId user, long nowMs, CancellationToken cancel)
    {
        while (true)
        {
            if (await List(ReadSql.State, p => p.Text(user.Value), StateOf, cancel) is [var state]) return state;
            await Provision(user, nowMs, cancel);
        }
    }

    public async ValueTask<IReadOnlyDictionary<UserId, UserState>> States(IReadOnlyCollection<UserId> users, CancellationToken cancel)
    {
        if (users.Count == 0) return new Dictionary<UserId, UserState>();
        var found = await List(
            ReadSql.States, p => p.Texts([.. users.Select(user => user.Value)]), row => (new UserId(row.GetString(12)), StateOf(row)), cancel);
        return found.ToDictionary();
    }

    public async ValueTask<ReadPage> Read(UserId user, DeviceId? device, ReadQuery query, long nowMs, CancellationToken cancel)
    {
        var measured = false;
        while (true)
        {
            var (page, whole) = await Read(ReadSql.Page(query, measured), p => AddQuery(p, user, device, query), (row, token) => PageOf(row, query.Rows, token), cancel);
            if (page is not null && (whole || measured)) return page;
            measured = page is not null;
            if (page is null) await Provision(user, nowMs, cancel);
        }
    }

    public async ValueTask<IReadOnlyList<StoredRow>> Rows(UserId user, IReadOnlyCollection<EntityKey> keys, CancellationToken cancel)
    {
        const string sql = """
            SELECT d.entity_type, d.entity_id, d.seq, d.version, d.out_ms, d.deleted_ms, d.data
            FROM unnest($2::text[], $3::text[]) AS k (entity_type, entity_id)
            JOIN sync_data d ON d.user_id = $1 AND d.entity_type = k.entity_type AND d.entity_id = k.entity_id
            """;
        if (keys.Count == 0) return [];
        var distinct = keys.Distinct().ToArray();
        return await List(sql, p =>
        {
            p.Text(user.Value);
            p.Texts([.. distinct.Select(key => key.Type)]);
            p.Texts([.. distinct.Select(key => key.Id)]);
        }, StoredColumns.RowOf, cancel);
    }

    private ValueTask<int> Provision(UserId user, long nowMs, CancellationToken cancel)
    {
        const string sql = """
            INSERT INTO sync_metadata (user_id, epoch, first_seq, last_seq, last_sync_ms, digest, created_ms)
            VALUES ($1, $2, 1, 0, 0, $3, $4) ON CONFLICT (user_id) DO NOTHING
            """;
        return Execute(sql, p => { p.Text(user.Value); p.Uuid(Bits.FreshEpoch().Value); p.Bytea(Bits.Of(UInt128.Zero)); p.Bigint(nowMs); }, cancel);
    }

    private static void AddQuery(NpgsqlParameterCollection to, UserId user, DeviceId? device, ReadQuery query)
    {
        to.Text(user.Value);
        to.Text(device?.Value);
        to.Bigint(query.After.Number);
        to.Integer(query.Rows + 1);
        if (query.Types is { } types) to.Texts([.. types]);
        if (query.AfterKey is not { } key) return;
        to.Text(key.Type);
        to.Text(key.Id);
    }

    private static async Task<Standing?> StandingOf(NpgsqlDataReader row, CancellationToken cancel) =>
        await row.ReadAsync(cancel) ? StandingFrom(row) : null;

    private static Standing StandingFrom(NpgsqlDataReader row) => new(
        new Epoch(row.GetGuid(0)), new Revision(row.GetInt64(1)), new Revision(row.GetInt64(2)), new Revision(row.GetInt64(3)),
        Bits.Read(row.GetFieldValue<byte[]>(4)), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), DeviceRevoked: row.GetBoolean(9),
        Rights: row.GetInt64(8));

    private static UserState StateOf(NpgsqlDataReader row) => new(
        StandingFrom(row), [.. row.GetFieldValue<string[]>(10).Select(device => new DeviceId(device))], row.GetInt32(11));

    private static async Task<UserSnapshot?> SnapshotOf(NpgsqlDataReader row, CancellationToken cancel)
    {
        Standing? standing = null;
        var heads = new HeadReader();
        while (await row.ReadAsync(cancel))
        {
            if (row.IsDBNull(0)) standing = StandingOfHeads(row);
            else heads.Take(row);
        }

        return standing is null ? null : new UserSnapshot(standing, heads.Heads);
    }

    private static Standing StandingOfHeads(NpgsqlDataReader row) => new(
        new Epoch(Guid.Parse(row.GetString(11))), First: new Revision(row.GetInt64(3)), Last: new Revision(row.GetInt64(2)),
        Horizon: new Revision(row.GetInt64(4)), Bits.Read(row.GetFieldValue<byte[]>(13)), LastSyncMs: row.GetInt64(5),
        NotBeforeMs: row.GetInt64(6), CreatedMs: row.GetInt64(7), DeviceRevoked: false, Rights: row.GetInt64(8));

    private static async Task<(ReadPage? Page, bool Whole)> PageOf(NpgsqlDataReader row, int rowsMax, CancellationToken cancel)
    {
        Standing? standing = null;
        var whole = true;
        var page = new PageBound(rowsMax);
        while (await row.ReadAsync(cancel))
        {
            if (row.IsDBNull(0)) standing = StandingOfPage(row);
            else page.Add(StoredColumns.RowOf(row));
            whole = whole && !(row.IsDBNull(5) && row.IsDBNull(6));
        }

        return (standing is null ? null : new ReadPage(standing, page.Rows, page.More), whole);
    }

    private static Standing StandingOfPage(NpgsqlDataReader row)
    {
        var rest = row.GetString(6).Split(' ');
        return new Standing(
            new Epoch(Guid.Parse(rest[0])), new Revision(row.GetInt64(3)), new Revision(row.GetInt64(2)), new Revision(row.GetInt64(5)),
            UInt128.Parse(rest[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture), row.GetInt64(4),
            long.Parse(rest[2], CultureInfo.InvariantCulture), long.Parse(rest[3], CultureInfo.InvariantCulture), DeviceRevoked: rest[5] == "1",
            Rights: long.Parse(rest[4], CultureInfo.InvariantCulture));
    }
}
