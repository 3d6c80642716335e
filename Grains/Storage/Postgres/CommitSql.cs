using System.Text;
using System.Text.RegularExpressions;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// The one statement of a commit, put together from the parts it needs: what is not there costs nothing to run, and a form
/// that occurs often is prepared on each connection. Every part reads the snapshot from before the statement and writes only if the
/// fence held. Parameters are numbered; those of a part follow those of the part before it. They are arrays, or values where no part has
/// more than one item: then there is nothing to unnest.
/// </summary>
internal static partial class CommitSql
{
    public const int FormCount = 128;
    private const int FenceParameters = 8;

    // Waits for a commit under way on the same user, then looks at the row as that commit left it.
    private const string Fence = """
        WITH fence AS (
            UPDATE sync_metadata SET last_seq = $4, digest = $5, last_sync_ms = greatest(last_sync_ms, $6)
            WHERE user_id = $1 AND epoch = $2 AND last_seq = $3 AND not_before_ms <= $7
              AND NOT EXISTS (SELECT FROM sync_devices
                              WHERE user_id = $1 AND device_id = ANY ($8) AND revoked_ms IS NOT NULL)
            RETURNING user_id, rights, last_sync_ms)
        """;

    private const string Rows = """
        , rows AS (
            INSERT INTO sync_data (user_id, entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms, bytes,
                named_version, device_id, fingerprint, data, previous_published_ms, deleted_ms, previous_fingerprint, echoes,
                merged_in_effective_ms, merged_in_client_ms, arrived_ms, created_ms)
            SELECT fence.user_id, r.entity_type, r.entity_id, r.seq, r.version, r.effective_ms, r.client_ms, r.published_ms, r.bytes,
                r.named_version, r.device_id, r.fingerprint, nullif(r.data, ''), r.previous_published_ms, r.deleted_ms,
                r.previous_fingerprint, r.echoes, r.merged_in_effective_ms, r.merged_in_client_ms, fence.last_sync_ms, fence.last_sync_ms
            FROM fence, unnest(@::text[], @::text[], @::bigint[], @::bigint[], @::bigint[], @::bigint[], @::bigint[], @::integer[],
                @::bigint[], @::text[], @::bytea[], @::text[], @::bigint[], @::bigint[], @::bytea[], @::bytea[], @::bigint[], @::bigint[])
                AS r (entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms, bytes, named_version, device_id,
                fingerprint, data, previous_published_ms, deleted_ms, previous_fingerprint, echoes, merged_in_effective_ms,
                merged_in_client_ms)
        """ + RowsThatExist;

    // States with nothing before them: without the six columns that are empty then, each of which both sides would handle row by row.
    private const string FirstRows = """
        , rows AS (
            INSERT INTO sync_data (user_id, entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms, bytes,
                named_version, device_id, fingerprint, data, previous_published_ms, arrived_ms, created_ms)
            SELECT fence.user_id, r.entity_type, r.entity_id, r.seq, r.version, r.effective_ms, r.client_ms, r.published_ms, r.bytes,
                r.named_version, r.device_id, r.fingerprint, nullif(r.data, ''), 0, fence.last_sync_ms, fence.last_sync_ms
            FROM fence, unnest(@::text[], @::text[], @::bigint[], @::bigint[], @::bigint[], @::bigint[], @::bigint[], @::integer[],
                @::bigint[], @::text[], @::bytea[], @::text[])
                AS r (entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms, bytes, named_version, device_id,
                fingerprint, data)
        """ + RowsThatExist;

    // What a row is not given is NULL in `excluded`.
    private const string RowsThatExist = """

            ON CONFLICT (user_id, entity_type, entity_id) DO UPDATE SET
                seq = excluded.seq, version = excluded.version, effective_ms = excluded.effective_ms, client_ms = excluded.client_ms,
                published_ms = excluded.published_ms, previous_published_ms = excluded.previous_published_ms,
                    deleted_ms = excluded.deleted_ms, purge_after_ms = NULL,
                bytes = excluded.bytes, named_version = excluded.named_version, device_id = excluded.device_id,
                    fingerprint = excluded.fingerprint,
                previous_fingerprint = excluded.previous_fingerprint, echoes = excluded.echoes,
                merged_in_effective_ms = excluded.merged_in_effective_ms, merged_in_client_ms = excluded.merged_in_client_ms,
                data = excluded.data, arrived_ms = excluded.arrived_ms)
        """;

    // As Replaced below, of every entity that is replaced and not new.
    private const string Versions = """
        , versions AS (
            INSERT INTO sync_versions (user_id, entity_type, entity_id, version, published_ms, effective_ms, client_ms,
                merged_in_effective_ms, merged_in_client_ms, device_id, fingerprint, arrived_ms, replaced_ms, bytes, data)
            SELECT fence.user_id, d.entity_type, d.entity_id, d.version, d.published_ms, d.effective_ms, d.client_ms,
                d.merged_in_effective_ms, d.merged_in_client_ms, d.device_id, d.fingerprint, d.arrived_ms, fence.last_sync_ms, d.bytes,
                d.data
            FROM fence, unnest(@::text[], @::text[]) AS r (entity_type, entity_id)
            JOIN sync_data d ON d.user_id = $1 AND d.entity_type = r.entity_type AND d.entity_id = r.entity_id
            ON CONFLICT (user_id, entity_type, entity_id, version) DO NOTHING)
        """;

    // Reads the documents as they were before this statement, whatever the parts above do to them. A row names the version that the part
    // above keeps; only of a type without history it has a copy.
    private const string Replaced = """
        , replaced AS (
            INSERT INTO sync_conflicts (user_id, id, entity_type, entity_id, fingerprint, reason, winner_version, members, device_id,
                created_ms, replaced_version, document)
            SELECT fence.user_id, r.id, d.entity_type, d.entity_id, d.fingerprint, 'replaced', r.winner_version, r.members, d.device_id,
                $6, CASE WHEN r.is_version THEN d.version END, CASE WHEN NOT r.is_version THEN d.data END
            FROM fence, unnest(@::text[], @::text[], @::text[], @::bytea[], @::bigint[], @::text[], @::boolean[]) AS r (id, entity_type,
                entity_id, fingerprint, winner_version, members, is_version)
            JOIN sync_data d ON d.user_id = $1 AND d.entity_type = r.entity_type AND d.entity_id = r.entity_id
                AND d.fingerprint = r.fingerprint AND d.data IS NOT NULL
            ON CONFLICT (user_id, id) DO NOTHING)
        """;

    private const string Losers = """
        , losers AS (
            INSERT INTO sync_conflicts (user_id, id, entity_type, entity_id, fingerprint, reason, winner_version, members, device_id,
                created_ms, document)
            SELECT fence.user_id, l.id, l.entity_type, l.entity_id, l.fingerprint, l.reason, l.winner_version, l.members, l.device_id,
                $6, l.document
            FROM fence, unnest(@::text[], @::text[], @::text[], @::bytea[], @::text[], @::bigint[], @::text[], @::text[], @::text[])
                AS l (id, entity_type, entity_id, fingerprint, reason, winner_version, members, device_id, document)
            ON CONFLICT (user_id, id) DO NOTHING)
        """;

    private const string Receipts = """
        , receipts AS (
            INSERT INTO idempotency_keys (user_id, scope, key, raw_hash, request_hash, status, response, expires_ms)
            SELECT fence.user_id, r.scope, r.key, r.raw_hash, r.request_hash, r.status, r.response, r.expires_ms
            FROM fence, unnest(@::smallint[], @::text[], @::bytea[], @::bytea[], @::integer[], @::bytea[], @::bigint[])
                AS r (scope, key, raw_hash, request_hash, status, response, expires_ms)
            ON CONFLICT (user_id, scope, key) DO UPDATE SET raw_hash = excluded.raw_hash, request_hash = excluded.request_hash,
                status = excluded.status, response = excluded.response, expires_ms = excluded.expires_ms
            WHERE idempotency_keys.expires_ms <= $6
            RETURNING 1)
        """;

    // No row: the fence was lost. A statement that holds its fence but not all its receipts is undone by raising.
    private const string GuardedResult = """

        SELECT CASE WHEN (SELECT count(*) FROM receipts) = cardinality(@keys) THEN rights ELSE sync_receipt_taken() END FROM fence
        """;

    private const string GuardedSingle = """

        SELECT CASE WHEN EXISTS (SELECT FROM receipts) THEN rights ELSE sync_receipt_taken() END FROM fence
        """;

    // The order of the parameters.
    private static readonly (CommitParts Part, string Text)[] Texts =
    [
        (CommitParts.Rows, Rows), (CommitParts.FirstRows, FirstRows), (CommitParts.Versions, Versions), (CommitParts.Replaced, Replaced),
        (CommitParts.Losers, Losers), (CommitParts.Receipts, Receipts),
    ];

    private static readonly string[] Forms = [.. Enumerable.Range(0, FormCount).Select(form => Build((CommitParts)form))];

    public static string For(CommitParts parts) => Forms[(int)parts];

    private static string Build(CommitParts parts)
    {
        var sql = new StringBuilder(Fence);
        var next = FenceParameters + 1;
        var keys = 0;
        foreach (var (part, text) in Texts)
        {
            if (!parts.HasFlag(part)) continue;
            keys = next + 1;
            Append(sql, parts.HasFlag(CommitParts.Single) ? AsValues(text) : text, ref next);
        }

        if (!parts.HasFlag(CommitParts.Receipts)) return sql.Append(" SELECT rights FROM fence").ToString();
        if (parts.HasFlag(CommitParts.Single)) return sql.Append(GuardedSingle).ToString();
        return sql.Append(GuardedResult.Replace("@keys", $"${keys}::text[]", StringComparison.Ordinal)).ToString();
    }

    private static string AsValues(string part) =>
        Unnested().Replace(part, match => $"(VALUES ({match.Groups[1].Value.Replace("[]", "", StringComparison.Ordinal)}))");

    private static void Append(StringBuilder sql, string part, ref int next)
    {
        foreach (var c in part)
        {
            if (c == '@') sql.Append('$').Append(next++);
            else sql.Append(c);
        }
    }

    [GeneratedRegex(@"unnest\(([^)]*)\)")]
    private static partial Regex Unnested();
}

/// <summary>What a commit brings besides its fence.</summary>
[Flags]
internal enum CommitParts
{
    None = 0,
    Rows = 1,
    Replaced = 2,
    Losers = 4,
    Receipts = 8,
    Versions = 16,

    /// <summary>No part has more than one item.</summary>
    Single = 32,

    /// <summary>Instead of <see cref="Rows"/>: each is the first state of its entity.</summary>
    FirstRows = 64,
}
