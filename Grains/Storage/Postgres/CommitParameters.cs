using Mirubato.Grains.Domain;
using Npgsql;
using NpgsqlTypes;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// A commit as the columns of <see cref="CommitSql"/>, in its order: as values where each part has one item, else as arrays. Documents go
/// as the UTF-8 bytes they are. A collection that held a commit of the same parts keeps its parameters, which know their types by then.
/// </summary>
internal struct CommitParameters
{
    private readonly UserId user;
    private readonly Commit commit;
    private readonly IReadOnlyList<ReplacedDocument> replaced;
    private readonly IReadOnlyList<Loser> losers;
    private NpgsqlParameterCollection to;
    private int next;

    public CommitParameters(UserId user, Commit commit)
    {
        this.user = user;
        this.commit = commit;
        replaced = CommitRules.Distinct(commit.Replaced, r => r.Id);
        losers = CommitRules.Distinct(commit.Losers, l => l.Id);
        to = null!;
        var most = Math.Max(Math.Max(commit.Rows.Count, commit.Versions.Count), Math.Max(replaced.Count, losers.Count));
        if (Math.Max(most, commit.Receipts.Count) < 2) Parts |= CommitParts.Single;
        if (commit.Rows.Count > 0) Parts |= commit.Rows.All(IsFirst) ? CommitParts.FirstRows : CommitParts.Rows;
        if (commit.Versions.Count > 0) Parts |= CommitParts.Versions;
        if (replaced.Count > 0) Parts |= CommitParts.Replaced;
        if (losers.Count > 0) Parts |= CommitParts.Losers;
        if (commit.Receipts.Count > 0) Parts |= CommitParts.Receipts;
    }

    public CommitParts Parts { get; }

    public void WriteTo(NpgsqlParameterCollection parameters)
    {
        (to, next) = (parameters, 0);
        AddFence();
        if (commit.Rows.Count > 0) AddRows(commit.Rows);
        if (Parts.HasFlag(CommitParts.Rows)) AddWhatWas(commit.Rows);
        if (Parts.HasFlag(CommitParts.Versions)) AddVersions(commit.Versions);
        if (Parts.HasFlag(CommitParts.Replaced)) AddReplaced(commit.Versions.ToHashSet());
        if (Parts.HasFlag(CommitParts.Losers)) AddLosers();
        if (Parts.HasFlag(CommitParts.Receipts)) AddReceipts(commit.Receipts);
    }

    private void AddFence()
    {
        Put(user.Value, NpgsqlDbType.Text);
        Put(commit.Expected.Epoch.Value, NpgsqlDbType.Uuid);
        Put(commit.Expected.Seq.Number, NpgsqlDbType.Bigint);
        Put(commit.Last.Number, NpgsqlDbType.Bigint);
        Put(UInt128Codec.Encode(commit.Digest), NpgsqlDbType.Bytea);
        Put(commit.NowMs, NpgsqlDbType.Bigint);
        Put(commit.OldestTokenMs, NpgsqlDbType.Bigint);
        Put(commit.Devices.Select(device => device.Value).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
    }

    private static bool IsFirst(NewRow row) =>
        row.Head is { PreviousPublishedMs: 0, DeletedMs: null, PreviousFingerprint.IsNone: true, Echoes.Count: 0, MergedIn: null };

    private void AddRows(IReadOnlyList<NewRow> rows)
    {
        Add(rows, row => row.Entity.Type, NpgsqlDbType.Text);
        Add(rows, row => row.Entity.Id, NpgsqlDbType.Text);
        Add(rows, row => row.Head.Seq.Number, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.Version, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.EffectiveMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.ClientMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.PublishedMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.Bytes, NpgsqlDbType.Integer);
        Add(rows, row => row.Head.NamedVersion, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.Device?.Value, NpgsqlDbType.Text);
        Add(rows, row => UInt128Codec.Encode(row.Head.Fingerprint), NpgsqlDbType.Bytea);
        Add(rows, row => row.Data, NpgsqlDbType.Text);
    }

    /// <summary>What none of <see cref="IsFirst"/> has.</summary>
    private void AddWhatWas(IReadOnlyList<NewRow> rows)
    {
        Add(rows, row => row.Head.PreviousPublishedMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.DeletedMs, NpgsqlDbType.Bigint);
        Add(rows, row => UInt128Codec.Encode(row.Head.PreviousFingerprint), NpgsqlDbType.Bytea);
        Add(rows, row => EchoCodec.Write(row.Head.Echoes), NpgsqlDbType.Bytea);
        Add(rows, row => row.Head.MergedIn?.EffectiveMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.MergedIn?.ClientMs, NpgsqlDbType.Bigint);
    }

    private void AddVersions(IReadOnlyList<EntityKey> versions)
    {
        Add(versions, entity => entity.Type, NpgsqlDbType.Text);
        Add(versions, entity => entity.Id, NpgsqlDbType.Text);
    }

    private void AddReplaced(HashSet<EntityKey> versions)
    {
        Add(replaced, r => r.Id, NpgsqlDbType.Text);
        Add(replaced, r => r.Entity.Type, NpgsqlDbType.Text);
        Add(replaced, r => r.Entity.Id, NpgsqlDbType.Text);
        Add(replaced, r => UInt128Codec.Encode(r.Fingerprint), NpgsqlDbType.Bytea);
        Add(replaced, r => r.WinnerVersion, NpgsqlDbType.Bigint);
        Add(replaced, r => MembersCodec.Write(r.Members), NpgsqlDbType.Text);
        Add(replaced, r => versions.Contains(r.Entity), NpgsqlDbType.Boolean);
    }

    private void AddLosers()
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
    }

    private void AddReceipts(IReadOnlyList<Receipt> receipts)
    {
        Add(receipts, r => (short)r.Scope, NpgsqlDbType.Smallint);
        Add(receipts, r => r.Key, NpgsqlDbType.Text);
        Add(receipts, r => r.RawHash, NpgsqlDbType.Bytea);
        Add(receipts, r => r.RequestHash, NpgsqlDbType.Bytea);
        Add(receipts, r => r.Status, NpgsqlDbType.Integer);
        Add(receipts, r => r.Response, NpgsqlDbType.Bytea);
        Add(receipts, r => r.ExpiresMs, NpgsqlDbType.Bigint);
    }

    private void Add<T, TColumn>(IReadOnlyList<T> items, Func<T, TColumn> of, NpgsqlDbType type)
    {
        if (Parts.HasFlag(CommitParts.Single)) Put(of(items[0]), type);
        else Put(items.Select(of).ToArray(), NpgsqlDbType.Array | type);
    }

    private void Put<T>(T value, NpgsqlDbType type)
    {
        if (next < to.Count) ((NpgsqlParameter<T>)to[next]).TypedValue = value;
        else to.Add(new NpgsqlParameter<T> { TypedValue = value, NpgsqlDbType = type });
        next++;
    }
}
