using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    public ValueTask<CommitOutcome> Commit(UserId user, Commit commit, CancellationToken cancel)
    {
        CommitRules.Check(commit);
        return writer.Write(session => Commit(session, user.Value, commit), cancel);
    }

    public async ValueTask TrimConflicts(UserId user, int keep, CancellationToken cancel)
    {
        const string sql = """
            DELETE FROM sync_conflicts WHERE user_id = $1 AND id IN (
                SELECT id FROM sync_conflicts WHERE user_id = $1 ORDER BY created_ms DESC, id DESC LIMIT -1 OFFSET $2)
            """;
        await Execute(sql, cancel, user.Value, keep);
    }

    // There is one writer: what was looked up at the start still holds at the end. So nothing is written before all of it is known.
    private static CommitOutcome Commit(SqliteSession session, string user, Commit commit)
    {
        if (Fence(session, user, commit) is not { } rights) return new CommitOutcome(CommitResult.FenceLost);
        if (commit.Receipts.Any(receipt => IsTaken(session, user, receipt, commit.NowMs)))
        {
            return new CommitOutcome(CommitResult.ReceiptTaken);
        }
        var arrivedMs = FindArrivedMs(session, user, commit.NowMs);
        foreach (var entity in commit.Versions) KeepVersion(session, user, entity, arrivedMs);
        foreach (var replaced in commit.Replaced) KeepReplaced(session, user, replaced, commit.NowMs);
        foreach (var loser in commit.Losers) KeepLoser(session, user, loser, commit.NowMs);
        foreach (var row in commit.Rows) Put(session, user, row, arrivedMs);
        foreach (var receipt in commit.Receipts) Put(session, user, receipt);
        Advance(session, user, commit);
        return new CommitOutcome(CommitResult.Held, rights);
    }

    /// <summary>The user's rights, or null when the fence does not hold.</summary>
    private static long? Fence(SqliteSession session, string user, Commit commit)
    {
        const string fence = "SELECT rights FROM sync_metadata WHERE user_id = $1 AND epoch = $2 AND last_seq = $3 AND not_before_ms <= $4";
        const string revoked = "SELECT 1 FROM sync_devices WHERE user_id = $1 AND device_id = $2 AND revoked_ms IS NOT NULL";
        var rights = session.First(
            fence, row => (long?)row.GetInt64(0), user, commit.Expected.Epoch.ToString(), commit.Expected.Seq.Number, commit.OldestTokenMs);
        return commit.Devices.Any(device => session.First(revoked, _ => true, user, device.Value)) ? null : rights;
    }

    private static bool IsTaken(SqliteSession session, string user, Receipt receipt, long nowMs)
    {
        const string sql = "SELECT 1 FROM idempotency_keys WHERE user_id = $1 AND scope = $2 AND key = $3 AND expires_ms > $4";
        return session.First(sql, _ => true, user, (long)receipt.Scope, receipt.Key, nowMs);
    }

    /// <summary>When what is committed counts as received: no earlier than what was received before it.</summary>
    private static long FindArrivedMs(SqliteSession session, string user, long nowMs) =>
        session.First("SELECT max(last_sync_ms, $2) FROM sync_metadata WHERE user_id = $1", row => row.GetInt64(0), user, nowMs);

    private static void KeepVersion(SqliteSession session, string user, EntityKey entity, long replacedMs)
    {
        const string sql = """
            INSERT INTO sync_versions (user_id, entity_type, entity_id, version, published_ms, effective_ms, client_ms,
                merged_in_effective_ms, merged_in_client_ms, device_id, fingerprint, arrived_ms, replaced_ms, bytes, data)
            SELECT user_id, entity_type, entity_id, version, published_ms, effective_ms, client_ms,
                merged_in_effective_ms, merged_in_client_ms, device_id, fingerprint, arrived_ms, $4, bytes, data
            FROM sync_data WHERE user_id = $1 AND entity_type = $2 AND entity_id = $3
            ON CONFLICT (user_id, entity_type, entity_id, version) DO NOTHING
            """;
        session.Execute(sql, user, entity.Type, entity.Id, replacedMs);
    }

    /// <summary>Names the version that was just kept; only of a type without history it keeps a copy.</summary>
    private static void KeepReplaced(SqliteSession session, string user, ReplacedDocument replaced, long nowMs)
    {
        const string sql = """
            INSERT INTO sync_conflicts (user_id, id, entity_type, entity_id, fingerprint, reason, winner_version, members, device_id,
                created_ms, replaced_version, document)
            SELECT d.user_id, $2, d.entity_type, d.entity_id, d.fingerprint, 'replaced', $6, $8, d.device_id, $7, v.version,
                CASE WHEN v.version IS NULL THEN d.data END
            FROM sync_data d LEFT JOIN sync_versions v ON v.user_id = d.user_id AND v.entity_type = d.entity_type
                AND v.entity_id = d.entity_id AND v.version = d.version
            WHERE d.user_id = $1 AND d.entity_type = $3 AND d.entity_id = $4 AND d.fingerprint = $5 AND d.data IS NOT NULL
            ON CONFLICT (user_id, id) DO NOTHING
            """;
        session.Execute(
            sql, user, replaced.Id, replaced.Entity.Type, replaced.Entity.Id, UInt128Codec.Encode(
                replaced.Fingerprint), replaced.WinnerVersion, nowMs, MembersCodec.Write(replaced.Members));
    }

    private static void KeepLoser(SqliteSession session, string user, Loser loser, long nowMs)
    {
        const string sql = """
            INSERT INTO sync_conflicts (user_id, id, entity_type, entity_id, fingerprint, reason, winner_version, device_id, created_ms,
                document, members)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (user_id, id) DO NOTHING
            """;
        session.Execute(
            sql, user, loser.Id, loser.Entity.Type, loser.Entity.Id, UInt128Codec.Encode(
                loser.Fingerprint), loser.Reason, loser.WinnerVersion,
            loser.Device?.Value, nowMs, SqliteSession.Blob(loser.Document), MembersCodec.Write(loser.Members));
    }

    private static void Put(SqliteSession session, string user, NewRow row, long arrivedMs)
    {
        const string sql = """
            INSERT INTO sync_data (user_id, entity_type, entity_id, seq, version, effective_ms, client_ms, published_ms,
                previous_published_ms, deleted_ms, bytes, named_version, device_id, fingerprint, previous_fingerprint, echoes, data,
                merged_in_effective_ms, merged_in_client_ms, arrived_ms, created_ms)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20)
            ON CONFLICT (user_id, entity_type, entity_id) DO UPDATE SET
                seq = excluded.seq, version = excluded.version, effective_ms = excluded.effective_ms, client_ms = excluded.client_ms,
                published_ms = excluded.published_ms, previous_published_ms = excluded.previous_published_ms,
                    deleted_ms = excluded.deleted_ms, purge_after_ms = NULL,
                bytes = excluded.bytes, named_version = excluded.named_version, device_id = excluded.device_id,
                    fingerprint = excluded.fingerprint,
                previous_fingerprint = excluded.previous_fingerprint, echoes = excluded.echoes, data = excluded.data,
                merged_in_effective_ms = excluded.merged_in_effective_ms, merged_in_client_ms = excluded.merged_in_client_ms,
                arrived_ms = excluded.arrived_ms
            """;
        var head = row.Head;
        session.Execute(
            sql, user, row.Entity.Type, row.Entity.Id, head.Seq.Number, head.Version, head.EffectiveMs, head.ClientMs, head.PublishedMs,
            head.PreviousPublishedMs,
            head.DeletedMs, head.Bytes, head.NamedVersion, head.Device?.Value, UInt128Codec.Encode(head.Fingerprint),
            UInt128Codec.Encode(head.PreviousFingerprint), EchoCodec.Write(head.Echoes),
            row.Data.IsEmpty ? null : SqliteSession.Blob(row.Data), head.MergedIn?.EffectiveMs, head.MergedIn?.ClientMs, arrivedMs);
    }

    private static void Put(SqliteSession session, string user, Receipt receipt)
    {
        const string sql = """
            INSERT OR REPLACE INTO idempotency_keys (user_id, scope, key, raw_hash, request_hash, status, response, expires_ms)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """;
        session.Execute(
            sql, user, (long)receipt.Scope, receipt.Key, SqliteSession.Blob(receipt.RawHash), SqliteSession.Blob(receipt.RequestHash),
            receipt.Status, SqliteSession.Blob(receipt.Response), receipt.ExpiresMs);
    }

    private static void Advance(SqliteSession session, string user, Commit commit)
    {
        const string sql = "UPDATE sync_metadata SET last_seq = $2, digest = $3, last_sync_ms = max(last_sync_ms, $4) WHERE user_id = $1";
        session.Execute(sql, user, commit.Last.Number, UInt128Codec.Encode(commit.Digest), commit.NowMs);
    }
}
