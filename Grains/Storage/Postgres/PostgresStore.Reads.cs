using System.Data.Common;
using System.Globalization;
using Mirubato.Grains.Domain;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    public override async ValueTask Ping(CancellationToken cancel)
    {
        const string sql = "SELECT current_setting('transaction_read_only'), (SELECT last_seq FROM sync_metadata LIMIT 1)";
        if (await First(sql, row => row.GetString(0), cancel) is "on") throw new StoreUnavailableException("read_only", outcomeUnknown: false);
    }

    public ValueTask<UserSnapshot> Load(UserId user, Revision after, long nowMs, CancellationToken cancel) =>
        Provisioned(user, nowMs, () => Read(ReadSql.Heads, [user.Value, after.Number], SnapshotOf, cancel), cancel);

    public ValueTask<UserState> State(UserId user, long nowMs, CancellationToken cancel) =>
        Provisioned(user, nowMs, () => First(ReadSql.State, StateOf, cancel, user.Value), cancel);

    public async ValueTask<Dictionary<UserId, UserState>> States(IReadOnlyCollection<UserId> users, CancellationToken cancel)
    {
        if (users.Count == 0) return [];
        string[] asked = [.. users.Select(user => user.Value)];
        return (await List(ReadSql.States, row => (new UserId(row.GetString(12)), StateOf(row)), cancel, [asked])).ToDictionary();
    }

    public async ValueTask<ReadPage> Read(UserId user, DeviceId? device, ReadQuery query, long nowMs, CancellationToken cancel)
    {
        var measured = false;
        while (true)
        {
            var (page, whole) = await Read(
                ReadSql.Page(query, measured), [.. ValuesOf(user, device, query)], (row, token) => PageOf(row, query.Rows, token), cancel);
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
        string[] types = [.. distinct.Select(key => key.Type)];
        string[] ids = [.. distinct.Select(key => key.Id)];
        return await List(sql, StoredColumns.RowOf, cancel, user.Value, types, ids);
    }

    protected override ValueTask<int> Provision(UserId user, long nowMs, CancellationToken cancel) =>
        Execute(ProvisionSql, cancel, user.Value, Bits.FreshEpoch().Value, Bits.Of(UInt128.Zero), nowMs);

    private static IEnumerable<object> ValuesOf(UserId user, DeviceId? device, ReadQuery query)
    {
        yield return user.Value;
        yield return ValueOf(device);
        yield return query.After.Number;
        yield return query.Rows + 1;
        if (query.Types is { } types) yield return types;
        if (query.AfterKey is not { } key) yield break;
        yield return key.Type;
        yield return key.Id;
    }

    private static UserState StateOf(DbDataReader row) => new(
        StandingOf(row), [.. row.GetFieldValue<string[]>(10).Select(device => new DeviceId(device))], row.GetInt32(11));

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
        Horizon: new Revision(row.GetInt64(4)), Bits.Read(row.GetFieldValue<byte[]>(12)), LastSyncMs: row.GetInt64(5),
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
