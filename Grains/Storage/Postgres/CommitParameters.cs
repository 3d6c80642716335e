using Mirubato.Grains.Domain;
using Npgsql;
using NpgsqlTypes;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// A commit as the columns of <see cref="CommitSql"/>, in its order: as values where each part has one item, else as arrays. Documents go
/// as the UTF-8 bytes they are.
/// </summary>
internal readonly struct CommitParameters(NpgsqlParameterCollection to, bool isSingle)
{
    public static CommitParts Add(NpgsqlParameterCollection to, UserId user, Commit commit)
    {
        var replaced = CommitRules.Distinct(commit.Replaced, r => r.Id);
        var losers = CommitRules.Distinct(commit.Losers, l => l.Id);
        var most = Math.Max(Math.Max(commit.Rows.Count, commit.Versions.Count), Math.Max(replaced.Count, losers.Count));
        var isSingle = Math.Max(most, commit.Receipts.Count) < 2;
        var parts = isSingle ? CommitParts.Single : CommitParts.None;
        var parameters = new CommitParameters(to, isSingle);
        parameters.AddFence(user, commit);
        if (commit.Rows.Count > 0) parts |= parameters.AddRows(commit.Rows);
        if (commit.Versions.Count > 0) parts |= parameters.AddVersions(commit.Versions);
        if (replaced.Count > 0) parts |= parameters.AddReplaced(replaced, commit.Versions.ToHashSet());
        if (losers.Count > 0) parts |= parameters.AddLosers(losers);
        if (commit.Receipts.Count > 0) parts |= parameters.AddReceipts(commit.Receipts);
        return parts;
    }

    private void AddFence(UserId user, Commit commit)
    {
        to.Value(user.Value, NpgsqlDbType.Text);
        to.Value(commit.Expected.Epoch.Value, NpgsqlDbType.Uuid);
        to.Value(commit.Expected.Seq.Number, NpgsqlDbType.Bigint);
        to.Value(commit.Last.Number, NpgsqlDbType.Bigint);
        to.Value(UInt128Codec.Encode(commit.Digest), NpgsqlDbType.Bytea);
        to.Value(commit.NowMs, NpgsqlDbType.Bigint);
        to.Value(commit.OldestTokenMs, NpgsqlDbType.Bigint);
        to.Array([.. commit.Devices.Select(device => device.Value)], NpgsqlDbType.Text);
    }

    private CommitParts AddRows(IReadOnlyList<NewRow> rows)
    {
        Add(rows, row => row.Entity.Type, NpgsqlDbType.Text);
        Add(rows, row => row.Entity.Id, NpgsqlDbType.Text);
        Add(rows, row => row.Head.Seq.Number, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.Version, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.EffectiveMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.ClientMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.PublishedMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.PreviousPublishedMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.DeletedMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.Bytes, NpgsqlDbType.Integer);
        Add(rows, row => row.Head.NamedVersion, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.Device?.Value, NpgsqlDbType.Text);
        Add(rows, row => UInt128Codec.Encode(row.Head.Fingerprint), NpgsqlDbType.Bytea);
        Add(rows, row => UInt128Codec.Encode(row.Head.PreviousFingerprint), NpgsqlDbType.Bytea);
        Add(rows, row => EchoCodec.Write(row.Head.Echoes), NpgsqlDbType.Bytea);
        Add(rows, row => row.Head.MergedIn?.EffectiveMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.MergedIn?.ClientMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Data, NpgsqlDbType.Text);
        return CommitParts.Rows;
    }

    private CommitParts AddVersions(IReadOnlyList<EntityKey> versions)
    {
        Add(versions, entity => entity.Type, NpgsqlDbType.Text);
        Add(versions, entity => entity.Id, NpgsqlDbType.Text);
        return CommitParts.Versions;
    }

    private CommitParts AddReplaced(IReadOnlyList<ReplacedDocument> replaced, HashSet<EntityKey> versions)
    {
        Add(replaced, r => r.Id, NpgsqlDbType.Text);
        Add(replaced, r => r.Entity.Type, NpgsqlDbType.Text);
        Add(replaced, r => r.Entity.Id, NpgsqlDbType.Text);
        Add(replaced, r => UInt128Codec.Encode(r.Fingerprint), NpgsqlDbType.Bytea);
        Add(replaced, r => r.WinnerVersion, NpgsqlDbType.Bigint);
        Add(replaced, r => MembersCodec.Write(r.Members), NpgsqlDbType.Text);
        Add(replaced, r => versions.Contains(r.Entity), NpgsqlDbType.Boolean);
        return CommitParts.Replaced;
    }

    private CommitParts AddLosers(IReadOnlyList<Loser> losers)
    {
        Add(losers, l => l.Id, NpgsqlDbType.Text);
        Add(losers, l => l.Entity.Type, NpgsqlDbType.Text);
        Add(losers, l => l.Entity.Id, NpgsqlDbType.Text);
        Add(losers, l => UInt128Codec.Encode(l.Fingerprint), NpgsqlDbType.Bytea);
        Add(losers, l => l.Reason, NpgsqlDbType.Text);
        Add(losers, l => l.WinnerVersion, NpgsqlDbType.Bigint);
        Add(losers, l => MembersCodec.Write(l.Members), NpgsqlDbType.Text);
        Add(losers, l => l.Device?.Value, NpgsqlDbType.Text);
        Add(losers, l => l.Document, NpgsqlDbType.Text);
        return CommitParts.Losers;
    }

    private CommitParts AddReceipts(IReadOnlyList<Receipt> receipts)
    {
        Add(receipts, r => (short)r.Scope, NpgsqlDbType.Smallint);
        Add(receipts, r => r.Key, NpgsqlDbType.Text);
        Add(receipts, r => r.RawHash, NpgsqlDbType.Bytea);
        Add(receipts, r => r.RequestHash, NpgsqlDbType.Bytea);
        Add(receipts, r => r.Status, NpgsqlDbType.Integer);
        Add(receipts, r => r.Response, NpgsqlDbType.Bytea);
        Add(receipts, r => r.ExpiresMs, NpgsqlDbType.Bigint);
        return CommitParts.Receipts;
    }

    private void Add<T, TColumn>(IReadOnlyList<T> items, Func<T, TColumn> of, NpgsqlDbType type)
    {
        if (isSingle) to.Value(of(items[0]), type);
        else to.Array([.. items.Select(of)], type);
    }
}
