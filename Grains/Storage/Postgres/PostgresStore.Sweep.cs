namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    protected override string StripTombstones => SweepSql.StripTombstones;

    protected override string DeleteOld(string table, string age) => SweepSql.DeleteOld(table, age);

    protected override ValueTask<int> RemoveErased(SweepLease lease, string user, int rowsMax, CancellationToken cancel) =>
        Swept(SweepSql.PurgeErased, lease, cancel, user, lease.NowMs, rowsMax);

    protected override ValueTask<int> RemoveExcess(SweepLease lease, string user, int keep, int rowsMax, CancellationToken cancel) =>
        Swept(SweepSql.TrimTombstones, lease, cancel, user, (long)keep, rowsMax);

    protected override ValueTask<int> RemoveThinned(SweepLease lease, string user, int rowsMax, CancellationToken cancel) =>
        Swept(SweepSql.ThinVersions, lease, cancel, user, rowsMax);

    protected override async ValueTask<int> Swept(string sql, SweepLease lease, CancellationToken cancel, params object[] values)
    {
        var result = await List(
            sql, row => (Held: row.GetInt32(0) > 0, Rows: row.GetInt32(1)), cancel, [lease.Holder, lease.NowMs, .. values]);
        return result[0].Held ? result[0].Rows : throw new LeaseLostException(lease.Holder);
    }
}
