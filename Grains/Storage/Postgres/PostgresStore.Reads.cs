using System.Data.Common;
using Mirubato.Grains.Domain;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    public override async ValueTask Ping(CancellationToken cancel)
    {
        const string sql = "SELECT current_setting('transaction_read_only'), (SELECT last_seq FROM sync_metadata LIMIT 1)";
        if (await First(sql, row => row.GetString(0), cancel) is "on")
        {
            throw new StoreUnavailableException("read_only", outcomeUnknown: false);
        }
    }

    public ValueTask<UserSnapshot> Load(UserId user, Revision after, long nowMs, CancellationToken cancel) =>
        Provisioned(user, nowMs, () => Read(ReadSql.Heads, [user.Value, after.Number], ReadSnapshot, cancel), cancel);

    public ValueTask<UserState> State(UserId user, long nowMs, CancellationToken cancel) =>
        Provisioned(user, nowMs, () => First(ReadSql.State, ReadState, cancel, user.Value), cancel);

    public async ValueTask<Dictionary<UserId, UserState>> States(IReadOnlyCollection<UserId> users, CancellationToken cancel)
    {
        if (users.Count == 0) return [];
        string[] asked = [.. users.Select(user => user.Value)];
        return (await List(ReadSql.States, row => (new UserId(row.GetString(12)), ReadState(row)), cancel, [asked])).ToDictionary();
    }

    public async ValueTask<ReadPage> Read(UserId user, DeviceId? device, ReadQuery query, long nowMs, CancellationToken cancel)
    {
        var measured = false;
        while (true)
        {
            var (page, whole) = await Read(
                ReadSql.Page(query, measured), [.. ListParameters(user, device, query)],
                (row, token) => CollectPage(row, query.Rows, token), cancel);
            if (page is not null && (whole || measured)) return page;
            measured = page is not null;
            if (page is null) await Provision(user, nowMs, cancel);
        }
    }

    public async ValueTask<IReadOnlyList<StoredRow>> Rows(UserId user, IReadOnlyCollection<EntityKey> keys, CancellationToken cancel)
    {
        const string sql = """
            SELECT d.entity_type, d.entity_id, d.seq, d.version, d.published_ms, d.deleted_ms, d.data
            FROM unnest($2::text[], $3::text[]) AS k (entity_type, entity_id)
            JOIN sync_data d ON d.user_id = $1 AND d.entity_type = k.entity_type AND d.entity_id = k.entity_id
            """;
        if (keys.Count == 0) return [];
        var distinct = keys.Distinct().ToArray();
        string[] types = [.. distinct.Select(key => key.Type)];
        string[] ids = [.. distinct.Select(key => key.Id)];
        return await List(sql, StoredColumns.ReadRow, cancel, user.Value, types, ids);
    }

    protected override ValueTask<int> Provision(UserId user, long nowMs, CancellationToken cancel) =>
        Execute(ProvisionSql, cancel, user.Value, UInt128Codec.FreshEpoch().Value, UInt128Codec.Encode(UInt128.Zero), nowMs);

    protected override object ToParameter(Epoch epoch) => epoch.Value;

    private static IEnumerable<object> ListParameters(UserId user, DeviceId? device, ReadQuery query)
    {
        yield return user.Value;
        yield return ToParameter(device);
        yield return query.After.Number;
        yield return query.Rows + 1;
        if (query.Types is { } types) yield return types;
        if (query.AfterKey is not { } key) yield break;
        yield return key.Type;
        yield return key.Id;
    }

    private static UserState ReadState(DbDataReader row) => new(
        ReadHistoryState(row), [.. row.GetFieldValue<string[]>(10).Select(device => new DeviceId(device))], row.GetInt32(11));

    private static async Task<UserSnapshot?> ReadSnapshot(NpgsqlDataReader row, CancellationToken cancel)
    {
        HistoryState? history = null;
        var heads = new PostgresHeadReader();
        while (await row.ReadAsync(cancel))
        {
            if (row.IsDBNull(0)) history = ReadHeadsState(row);
            else heads.Read(row);
        }

        return history is null ? null : new UserSnapshot(history, heads.Heads);
    }

    private static HistoryState ReadHeadsState(NpgsqlDataReader row) => new(
        new Epoch(Guid.Parse(row.GetString(11))), First: new Revision(row.GetInt64(3)), Last: new Revision(row.GetInt64(2)),
        Horizon: new Revision(row.GetInt64(4)), UInt128Codec.Decode(row.GetFieldValue<byte[]>(12)), LastSyncMs: row.GetInt64(5),
        NotBeforeMs: row.GetInt64(6), CreatedMs: row.GetInt64(7), DeviceRevoked: false, Rights: row.GetInt64(8));

    private static async Task<(ReadPage? Page, bool Whole)> CollectPage(NpgsqlDataReader row, int rowsMax, CancellationToken cancel)
    {
        HistoryState? history = null;
        var whole = true;
        var page = new PageBound(rowsMax);
        while (await row.ReadAsync(cancel))
        {
            if (row.IsDBNull(0)) history = HistoryStateText.Parse(row.GetString(6));
            else page.Add(StoredColumns.ReadRow(row));
            whole = whole && !(row.IsDBNull(5) && row.IsDBNull(6));
        }

        return (history is null ? null : new ReadPage(history, page.Rows, page.More), whole);
    }
}
