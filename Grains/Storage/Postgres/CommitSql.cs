using System.Text;
using System.Text.RegularExpressions;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// The one statement of a commit, or of a group of commits of different users, put together from the parts it needs: what is not there
/// costs nothing to run, and a form that occurs often is prepared on each connection. Every part reads the snapshot from before the
/// statement and writes only for those whose fence held. Parameters are numbered; those of a part follow those of the part before it.
/// They are arrays, or values where no part has more than one item: then there is nothing to unnest. In a group each item also has the
/// number of its commit, from 1 on. Each row of the result names a commit that held, and the rights of its user.
/// </summary>
internal static partial class CommitSql
{
    public const int FormCount = 256;
    private const int FenceParameters = 8;
    private const int GroupFenceParameters = 10;

    /// <summary>Counts from the last parameter back to the keys of the receipts, which are the last part.</summary>
    private const int ColumnsAfterKey = 5;

    // Waits for a commit under way on the same user, then looks at the row as that commit left it. The devices and the rights on the right
    // hand are those from before the wait: a device that was revoked meanwhile has raised the row's rights.
    private const string Fence = """
        WITH fence AS (
            UPDATE sync_metadata SET last_seq = $4, digest = $5, last_sync_ms = greatest(last_sync_ms, $6)
            WHERE user_id = $1 AND epoch = $2 AND last_seq = $3 AND not_before_ms <= $7
              AND NOT EXISTS (SELECT FROM sync_devices
                              WHERE user_id = $1 AND device_id = ANY ($8) AND revoked_ms IS NOT NULL)
              AND (cardinality($8) = 0 OR rights = (SELECT b.rights FROM sync_metadata b WHERE b.user_id = $1))
            RETURNING user_id, rights, last_sync_ms)
        """;

    // Of two commits of one user at most one holds: a statement updates a row once. The array of users beside the join, and elsewhere
    // LIMIT 1, keep the plan at key lookups: it is made once, when the tables may be almost empty. `keys` counts the commit's receipts.
    private const string GroupFence = """
        WITH fence AS (
            UPDATE sync_metadata m SET last_seq = c.last_seq, digest = c.digest, last_sync_ms = greatest(m.last_sync_ms, c.now_ms)
            FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bigint[], $8::integer[])
                WITH ORDINALITY AS c (user_id, epoch, head, last_seq, digest, now_ms, oldest_token_ms, keys, n)
            WHERE m.user_id = ANY ($1) AND m.user_id = c.user_id AND m.epoch = c.epoch AND m.last_seq = c.head
              AND m.not_before_ms <= c.oldest_token_ms
              AND m.user_id <> ALL (ARRAY(
                SELECT k.user_id FROM unnest($9::text[], $10::text[]) AS k (user_id, device_id)
                CROSS JOIN LATERAL (SELECT FROM sync_devices d WHERE d.user_id = k.user_id AND d.device_id = k.device_id
                                    AND d.revoked_ms IS NOT NULL LIMIT 1) revoked))
              AND (m.user_id <> ALL ($9) OR m.rights = (SELECT b.rights FROM sync_metadata b WHERE b.user_id = c.user_id))
            RETURNING m.user_id, m.rights, m.last_sync_ms, c.now_ms, c.keys, c.n)
        """;

    private const string Rows = """
        , rows AS (
            INSERT INTO sync_data (user_id, entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms, bytes,
                named_version, device_id, fingerprint, data, previous_published_ms, deleted_ms, previous_fingerprint, echoes,
                merged_in_effective_ms, merged_in_client_ms, arrived_ms, created_ms)
            SELECT fence.user_id, r.entity_type, r.entity_id, r.seq, r.version, r.effective_ms, r.client_ms, r.published_ms, r.bytes,
                r.named_version, r.device_id, r.fingerprint, nullif(r.data, ''), r.previous_published_ms, r.deleted_ms,
                r.previous_fingerprint, r.echoes, r.merged_in_effective_ms, r.merged_in_client_ms, fence.last_sync_ms, fence.last_sync_ms
            FROM unnest({numbers}@::text[], @::text[], @::bigint[], @::bigint[], @::bigint[], @::bigint[], @::bigint[],
                @::integer[], @::bigint[], @::text[], @::bytea[], @::text[],
                @::bigint[], @::bigint[], @::bytea[], @::bytea[], @::bigint[], @::bigint[])
                AS r ({n}entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms, bytes, named_version, device_id,
                fingerprint, data, previous_published_ms, deleted_ms, previous_fingerprint, echoes, merged_in_effective_ms,
                merged_in_client_ms) {its fence}
        """ + RowsThatExist;

    // States with nothing before them: without the six columns that are empty then, each of which both sides would handle row by row.
    private const string FirstRows = """
        , rows AS (
            INSERT INTO sync_data (user_id, entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms, bytes,
                named_version, device_id, fingerprint, data, previous_published_ms, arrived_ms, created_ms)
            SELECT fence.user_id, r.entity_type, r.entity_id, r.seq, r.version, r.effective_ms, r.client_ms, r.published_ms, r.bytes,
                r.named_version, r.device_id, r.fingerprint, nullif(r.data, ''), 0, fence.last_sync_ms, fence.last_sync_ms
            FROM unnest({numbers}@::text[], @::text[], @::bigint[], @::bigint[], @::bigint[], @::bigint[], @::bigint[],
                @::integer[], @::bigint[], @::text[], @::bytea[], @::text[])
                AS r ({n}entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms, bytes, named_version, device_id,
                fingerprint, data) {its fence}
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
            FROM unnest({numbers}@::text[], @::text[]) AS r ({n}entity_type, entity_id) {its fence}
            CROSS JOIN LATERAL (SELECT * FROM sync_data s WHERE s.user_id = fence.user_id AND s.entity_type = r.entity_type
                AND s.entity_id = r.entity_id LIMIT 1) d
            ON CONFLICT (user_id, entity_type, entity_id, version) DO NOTHING)
        """;

    // Reads the documents as they were before this statement, whatever the parts above do to them. A row names the version that the part
    // above keeps; only of a type without history it has a copy.
    private const string Replaced = """
        , replaced AS (
            INSERT INTO sync_conflicts (user_id, id, entity_type, entity_id, fingerprint, reason, winner_version, members, device_id,
                created_ms, replaced_version, document)
            SELECT fence.user_id, r.id, d.entity_type, d.entity_id, d.fingerprint, 'replaced', r.winner_version, r.members, d.device_id,
                {now}, CASE WHEN r.is_version THEN d.version END, CASE WHEN NOT r.is_version THEN d.data END
            FROM unnest({numbers}@::text[], @::text[], @::text[], @::bytea[], @::bigint[], @::text[], @::boolean[])
                AS r ({n}id, entity_type, entity_id, fingerprint, winner_version, members, is_version) {its fence}
            CROSS JOIN LATERAL (SELECT * FROM sync_data s WHERE s.user_id = fence.user_id AND s.entity_type = r.entity_type
                AND s.entity_id = r.entity_id AND s.fingerprint = r.fingerprint AND s.data IS NOT NULL LIMIT 1) d
            ON CONFLICT (user_id, id) DO NOTHING)
        """;

    private const string Losers = """
        , losers AS (
            INSERT INTO sync_conflicts (user_id, id, entity_type, entity_id, fingerprint, reason, winner_version, members, device_id,
                created_ms, document)
            SELECT fence.user_id, r.id, r.entity_type, r.entity_id, r.fingerprint, r.reason, r.winner_version, r.members, r.device_id,
                {now}, r.document
            FROM unnest({numbers}@::text[], @::text[], @::text[], @::bytea[], @::text[], @::bigint[], @::text[], @::text[],
                @::text[])
                AS r ({n}id, entity_type, entity_id, fingerprint, reason, winner_version, members, device_id, document) {its fence}
            ON CONFLICT (user_id, id) DO NOTHING)
        """;

    private const string Receipts = """
        , receipts AS (
            INSERT INTO idempotency_keys (user_id, scope, key, raw_hash, request_hash, status, response, expires_ms)
            SELECT fence.user_id, r.scope, r.key, r.raw_hash, r.request_hash, r.status, r.response, r.expires_ms
            FROM unnest({numbers}@::smallint[], @::text[], @::bytea[], @::bytea[], @::integer[], @::bytea[], @::bigint[])
                AS r ({n}scope, key, raw_hash, request_hash, status, response, expires_ms) {its fence}
            ON CONFLICT (user_id, scope, key) DO UPDATE SET raw_hash = excluded.raw_hash, request_hash = excluded.request_hash,
                status = excluded.status, response = excluded.response, expires_ms = excluded.expires_ms
            WHERE idempotency_keys.expires_ms <= {earliest}
            RETURNING 1)
        """;

    // A statement that holds a fence but not all its receipts is undone by raising.
    private const string GuardedResult = """

        SELECT CASE WHEN {all receipts} THEN rights ELSE sync_receipt_taken() END, {commit} FROM fence
        """;

    private const string Result = " SELECT rights, {commit} FROM fence";

    // The order of the parameters.
    private static readonly (CommitParts Part, string Text)[] Texts =
    [
        (CommitParts.Rows, Rows), (CommitParts.FirstRows, FirstRows), (CommitParts.Versions, Versions), (CommitParts.Replaced, Replaced),
        (CommitParts.Losers, Losers), (CommitParts.Receipts, Receipts),
    ];

    // What the words of the parts mean for one commit, and for a group. A receipt that expired while its group gathered counts as live:
    // then the group is undone, and each commit goes by itself.
    private static readonly (string Word, string Meaning)[] InOne =
    [
        ("{numbers}", ""), ("{n}", ""), ("{its fence}", "CROSS JOIN fence"), ("{now}", "$6"), ("{earliest}", "$6"),
        ("{commit}", "1::bigint"), ("{all receipts}", "(SELECT count(*) FROM receipts) = cardinality({keys})"),
    ];

    private static readonly (string Word, string Meaning)[] InSingle = [("{all receipts}", "EXISTS (SELECT FROM receipts)"), .. InOne];

    private static readonly (string Word, string Meaning)[] InGroup =
    [
        ("{numbers}", "@::integer[], "), ("{n}", "n, "), ("{now}", "fence.now_ms"), ("{commit}", "n"),
        ("{its fence}", "CROSS JOIN LATERAL (SELECT * FROM fence WHERE fence.n = r.n LIMIT 1) fence"),
        ("{earliest}", "(SELECT min(now_ms) FROM fence)"),
        ("{all receipts}", "(SELECT count(*) FROM receipts) = (SELECT sum(keys) FROM fence)"),
    ];

    private static readonly string?[] Forms = new string?[FormCount];

    /// <summary>Two threads may build a form at once, and build the same.</summary>
    public static string For(CommitParts parts) => Forms[(int)parts] ??= Build(parts);

    private static string Build(CommitParts parts)
    {
        var isGroup = parts.HasFlag(CommitParts.Group);
        var sql = new StringBuilder(isGroup ? GroupFence : Fence);
        foreach (var (part, text) in Texts)
        {
            if (parts.HasFlag(part)) sql.Append(parts.HasFlag(CommitParts.Single) ? AsValues(text) : text);
        }

        sql.Append(parts.HasFlag(CommitParts.Receipts) ? GuardedResult : Result);
        var words = isGroup ? InGroup : parts.HasFlag(CommitParts.Single) ? InSingle : InOne;
        foreach (var (word, meaning) in words) sql.Replace(word, meaning);
        return Number(sql.ToString(), isGroup ? GroupFenceParameters : FenceParameters);
    }

    private static string AsValues(string part) =>
        Unnested().Replace(part, match => $"(VALUES ({match.Groups[1].Value.Replace("[]", "", StringComparison.Ordinal)}))");

    private static string Number(string text, int last)
    {
        var sql = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (c == '@') sql.Append('$').Append(++last);
            else sql.Append(c);
        }

        return sql.Replace("{keys}", $"${last - ColumnsAfterKey}::text[]").ToString();
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

    /// <summary>Of several commits. Never with <see cref="Single"/>.</summary>
    Group = 128,
}
