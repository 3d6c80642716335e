using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    public async ValueTask<List<StoredVersion>> VersionsFrom(
        UserId user, IReadOnlyDictionary<EntityKey, long> oldest, long bytesMax, CancellationToken cancel)
    {
        const string sql = $"""
            SELECT * FROM (
                SELECT *, sum(bytes) OVER (ORDER BY entity_type, entity_id, version DESC) AS so_far FROM (
                    SELECT d.* FROM unnest($2::text[], $3::text[]) AS k (entity_type, entity_id)
                    CROSS JOIN LATERAL (
                        {VersionSql.Present} WHERE user_id = $1 AND entity_type = k.entity_type AND entity_id = k.entity_id) d
                    UNION ALL
                    SELECT v.* FROM unnest($2::text[], $3::text[], $4::bigint[]) AS k (entity_type, entity_id, oldest)
                    CROSS JOIN LATERAL (
                        {VersionSql.Replaced} WHERE user_id = $1 AND entity_type = k.entity_type AND entity_id = k.entity_id
                            AND version >= k.oldest) v) known) bounded
            WHERE so_far <= $5 OR replaced_ms IS NULL ORDER BY entity_type, entity_id, version
            """;
        if (oldest.Count == 0) return [];
        string[] types = [.. oldest.Keys.Select(key => key.Type)];
        string[] ids = [.. oldest.Keys.Select(key => key.Id)];
        return await List(sql, VersionSql.Read, cancel, user.Value, types, ids, oldest.Values.ToArray(), bytesMax);
    }
}
