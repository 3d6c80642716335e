using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

internal abstract partial class SqlStore
{
    private static readonly string Thin =
        $"DELETE FROM sync_versions WHERE {VersionSql.Thinned("$1", "$2", "$3", "$4", $"{Retention.VersionsAtOnceMax}")}";

    public ValueTask<List<StoredVersion>> History(UserId user, EntityKey entity, long before, int limit, CancellationToken cancel) =>
        List(VersionSql.History, VersionSql.Read, cancel, user.Value, entity.Type, entity.Id, before, limit);

    public ValueTask<List<StoredVersion>> Versions(UserId user, EntityKey after, long version, int limit, CancellationToken cancel) =>
        List(VersionSql.Export, VersionSql.Read, cancel, user.Value, after.Type, after.Id, version, limit);

    public ValueTask<List<StoredVersion>> ChangedSince(UserId user, long sinceMs, EntityKey after, int limit, CancellationToken cancel) =>
        List(VersionSql.ChangedSince, VersionSql.Read, cancel, user.Value, sinceMs, after.Type, after.Id, limit);

    public async ValueTask<(StoredTotals Kept, bool IsDone)> TrimVersions(
        UserId user, long entityBytesMax, long bytesMax, long nowMs, CancellationToken cancel)
    {
        const string totals = "SELECT count(*), CAST(coalesce(sum(bytes), 0) AS bigint) FROM sync_versions WHERE user_id = $1";
        var gone = await Execute(Thin, cancel, user.Value, nowMs, entityBytesMax, bytesMax);
        return ((await List(totals, ReadTotals, cancel, user.Value))[0], gone < Retention.VersionsAtOnceMax);
    }

    private async ValueTask<SweepProgress> ThinVersions(string? cursor, SweepLease lease, CancellationToken cancel)
    {
        const string users = """
            SELECT user_id, EXISTS (SELECT 1 FROM sync_versions v WHERE v.user_id = m.user_id)
            FROM sync_metadata m WHERE user_id > $1 ORDER BY user_id LIMIT $2
            """;
        await RequireLease(lease, cancel);
        var seen = await List(users, row => (row.GetString(0), row.GetBoolean(1)), cancel, cursor ?? "", sweepRowsMax);
        return await UserBatch.From(seen, sweepRowsMax).Remove(
            cursor, sweepRowsMax, (user, rows) => RemoveThinned(lease, user, rows, cancel));
    }
}
