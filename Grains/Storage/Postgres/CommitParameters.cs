using Mirubato.Grains.Domain;
using Npgsql;
using NpgsqlTypes;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>A commit as the arrays <see cref="CommitSql"/> unnests, in its order. Documents go as the UTF-8 bytes they are.</summary>
internal static class CommitParameters
{
    public static CommitParts Add(NpgsqlParameterCollection to, UserId user, Commit commit)
    {
        var parts = CommitParts.None;
        AddFence(to, user, commit);
        if (commit.Rows.Count > 0) parts |= AddRows(to, commit.Rows);
        if (commit.Versions.Count > 0) parts |= AddVersions(to, commit.Versions);
        if (commit.Replaced.Count > 0) parts |= AddReplaced(to, CommitRules.Distinct(commit.Replaced, r => r.Id));
        if (commit.Losers.Count > 0) parts |= AddLosers(to, CommitRules.Distinct(commit.Losers, l => l.Id));
        if (commit.Receipts.Count > 0) parts |= AddReceipts(to, commit.Receipts);
        return parts;
    }

    private static void AddFence(NpgsqlParameterCollection to, UserId user, Commit commit)
    {
        to.Value(user.Value, NpgsqlDbType.Text);
        to.Value(commit.Expected.Epoch.Value, NpgsqlDbType.Uuid);
        to.Value(commit.Expected.Seq.Number, NpgsqlDbType.Bigint);
        to.Value(commit.Last.Number, NpgsqlDbType.Bigint);
        to.Value(UInt128Codec.Encode(commit.Digest), NpgsqlDbType.Bytea);
        to.Value(commit.NowMs, NpgsqlDbType.Bigint);
        to.Value(commit.OldestTokenMs, NpgsqlDbType.Bigint);
        to.Texts(Column(commit.Devices, device => device.Value));
    }

    private static CommitParts AddRows(NpgsqlParameterCollection to, IReadOnlyList<NewRow> rows)
    {
        to.Texts(Column(rows, row => row.Entity.Type));
        to.Texts(Column(rows, row => row.Entity.Id));
        to.Bigints(Column(rows, row => row.Head.Seq.Number));
        to.Bigints(Column(rows, row => row.Head.Version));
        to.Bigints(Column(rows, row => row.Head.EffectiveMs));
        to.Bigints(Column(rows, row => row.Head.ClientMs));
        to.Bigints(Column(rows, row => row.Head.PublishedMs));
        to.Bigints(Column(rows, row => row.Head.PreviousPublishedMs));
        to.Array(Column(rows, row => row.Head.DeletedMs), NpgsqlDbType.Bigint);
        to.Array(Column(rows, row => row.Head.Bytes), NpgsqlDbType.Integer);
        to.Array(Column(rows, row => row.Head.NamedVersion), NpgsqlDbType.Bigint);
        to.Texts(Column(rows, row => row.Head.Device?.Value));
        to.Array(Column(rows, row => UInt128Codec.Encode(row.Head.Fingerprint)), NpgsqlDbType.Bytea);
        to.Array(Column(rows, row => UInt128Codec.Encode(row.Head.PreviousFingerprint)), NpgsqlDbType.Bytea);
        to.Array(Column(rows, row => EchoCodec.Write(row.Head.Echoes)), NpgsqlDbType.Bytea);
        to.Array(Column(rows, row => row.Head.MergedIn?.EffectiveMs), NpgsqlDbType.Bigint);
        to.Array(Column(rows, row => row.Head.MergedIn?.ClientMs), NpgsqlDbType.Bigint);
        to.Array(Column(rows, row => row.Data), NpgsqlDbType.Text);
        return CommitParts.Rows;
    }

    private static CommitParts AddVersions(NpgsqlParameterCollection to, IReadOnlyList<EntityKey> versions)
    {
        to.Texts(Column(versions, entity => entity.Type));
        to.Texts(Column(versions, entity => entity.Id));
        return CommitParts.Versions;
    }

    private static CommitParts AddReplaced(NpgsqlParameterCollection to, IReadOnlyList<ReplacedDocument> replaced)
    {
        to.Texts(Column(replaced, r => r.Id));
        to.Texts(Column(replaced, r => r.Entity.Type));
        to.Texts(Column(replaced, r => r.Entity.Id));
        to.Array(Column(replaced, r => UInt128Codec.Encode(r.Fingerprint)), NpgsqlDbType.Bytea);
        to.Bigints(Column(replaced, r => r.WinnerVersion));
        to.Texts(Column(replaced, r => MembersCodec.Write(r.Members)));
        return CommitParts.Replaced;
    }

    private static CommitParts AddLosers(NpgsqlParameterCollection to, IReadOnlyList<Loser> losers)
    {
        to.Texts(Column(losers, l => l.Id));
        to.Texts(Column(losers, l => l.Entity.Type));
        to.Texts(Column(losers, l => l.Entity.Id));
        to.Array(Column(losers, l => UInt128Codec.Encode(l.Fingerprint)), NpgsqlDbType.Bytea);
        to.Texts(Column(losers, l => l.Reason));
        to.Bigints(Column(losers, l => l.WinnerVersion));
        to.Texts(Column(losers, l => MembersCodec.Write(l.Members)));
        to.Texts(Column(losers, l => l.Device?.Value));
        to.Array(Column(losers, l => l.Document), NpgsqlDbType.Text);
        return CommitParts.Losers;
    }

    private static CommitParts AddReceipts(NpgsqlParameterCollection to, IReadOnlyList<Receipt> receipts)
    {
        to.Array(Column(receipts, r => (short)r.Scope), NpgsqlDbType.Smallint);
        to.Texts(Column(receipts, r => r.Key));
        to.Array(Column(receipts, r => r.RawHash), NpgsqlDbType.Bytea);
        to.Array(Column(receipts, r => r.RequestHash), NpgsqlDbType.Bytea);
        to.Array(Column(receipts, r => r.Status), NpgsqlDbType.Integer);
        to.Array(Column(receipts, r => r.Response), NpgsqlDbType.Bytea);
        to.Bigints(Column(receipts, r => r.ExpiresMs));
        return CommitParts.Receipts;
    }

    private static TColumn[] Column<T, TColumn>(IReadOnlyList<T> items, Func<T, TColumn> of) => [.. items.Select(of)];
}
