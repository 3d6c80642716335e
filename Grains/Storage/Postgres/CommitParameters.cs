using Mirubato.Grains.Domain;
using Npgsql;
using NpgsqlTypes;

namespace Mirubato.Grains.Storage.Postgres;

internal readonly record struct UserCommit(UserId User, Commit Commit);

/// <summary>
/// A commit, or several, as the columns of <see cref="CommitSql"/>, in its order: as values where each part has one
/// item, else as arrays. Documents go as the UTF-8 bytes they are. A collection that held commits of the same parts keeps its parameters,
/// which know their types by then.
/// </summary>
internal sealed class CommitParameters
{
    private readonly IReadOnlyList<UserCommit> commits;
    private readonly Items<NewRow> rows;
    private readonly Items<EntityKey> versions;
    private readonly Items<(ReplacedDocument Document, bool IsVersion)> replaced;
    private readonly Items<Loser> losers;
    private readonly Items<Receipt> receipts;
    private NpgsqlParameterCollection to = null!;
    private int next;

    public CommitParameters(IReadOnlyList<UserCommit> commits)
    {
        this.commits = commits;
        rows = Gather(commit => commit.Rows);
        versions = Gather(commit => commit.Versions);
        replaced = Gather(Replaced);
        losers = Gather(commit => CommitRules.Distinct(commit.Losers, loser => loser.Id));
        receipts = Gather(commit => commit.Receipts);
        Parts = FindParts();
    }

    public CommitParts Parts { get; }

    private bool IsGroup => commits.Count > 1;

    public void WriteTo(NpgsqlParameterCollection parameters)
    {
        (to, next) = (parameters, 0);
        if (IsGroup) AddFences();
        else AddFence(commits[0].User, commits[0].Commit);
        AddRows();
        if (Parts.HasFlag(CommitParts.Rows)) AddWhatWas();
        AddVersions();
        AddReplaced();
        AddLosers();
        AddReceipts();
    }

    private CommitParts FindParts()
    {
        var parts = CommitParts.None;
        var most = Math.Max(Math.Max(rows.Count, versions.Count), Math.Max(replaced.Count, losers.Count));
        if (IsGroup) parts |= CommitParts.Group;
        else if (Math.Max(most, receipts.Count) < 2) parts |= CommitParts.Single;
        if (rows.Count > 0) parts |= rows.All.All(IsFirst) ? CommitParts.FirstRows : CommitParts.Rows;
        if (versions.Count > 0) parts |= CommitParts.Versions;
        if (replaced.Count > 0) parts |= CommitParts.Replaced;
        if (losers.Count > 0) parts |= CommitParts.Losers;
        if (receipts.Count > 0) parts |= CommitParts.Receipts;
        return parts;
    }

    private static bool IsFirst(NewRow row) =>
        row.Head is { PreviousPublishedMs: 0, DeletedMs: null, PreviousFingerprint.IsNone: true, Echoes.Count: 0, MergedIn: null };

    private static IReadOnlyList<(ReplacedDocument Document, bool IsVersion)> Replaced(Commit commit)
    {
        if (commit.Replaced.Count == 0) return [];
        var versions = commit.Versions.ToHashSet();
        return [.. CommitRules.Distinct(commit.Replaced, r => r.Id).Select(r => (r, versions.Contains(r.Entity)))];
    }

    private void AddFence(UserId user, Commit commit)
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

    private void AddFences()
    {
        PutAll(commits, one => one.User.Value, NpgsqlDbType.Text);
        PutAll(commits, one => one.Commit.Expected.Epoch.Value, NpgsqlDbType.Uuid);
        PutAll(commits, one => one.Commit.Expected.Seq.Number, NpgsqlDbType.Bigint);
        PutAll(commits, one => one.Commit.Last.Number, NpgsqlDbType.Bigint);
        PutAll(commits, one => UInt128Codec.Encode(one.Commit.Digest), NpgsqlDbType.Bytea);
        PutAll(commits, one => one.Commit.NowMs, NpgsqlDbType.Bigint);
        PutAll(commits, one => one.Commit.OldestTokenMs, NpgsqlDbType.Bigint);
        PutAll(commits, one => one.Commit.Receipts.Count, NpgsqlDbType.Integer);
        var devices = commits.SelectMany(one => one.Commit.Devices.Select(device => (one.User, device))).ToList();
        PutAll(devices, one => one.User.Value, NpgsqlDbType.Text);
        PutAll(devices, one => one.device.Value, NpgsqlDbType.Text);
    }

    private void AddRows()
    {
        AddNumbers(rows);
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
    private void AddWhatWas()
    {
        Add(rows, row => row.Head.PreviousPublishedMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.DeletedMs, NpgsqlDbType.Bigint);
        Add(rows, row => UInt128Codec.Encode(row.Head.PreviousFingerprint), NpgsqlDbType.Bytea);
        Add(rows, row => EchoCodec.Write(row.Head.Echoes), NpgsqlDbType.Bytea);
        Add(rows, row => row.Head.MergedIn?.EffectiveMs, NpgsqlDbType.Bigint);
        Add(rows, row => row.Head.MergedIn?.ClientMs, NpgsqlDbType.Bigint);
    }

    private void AddVersions()
    {
        AddNumbers(versions);
        Add(versions, entity => entity.Type, NpgsqlDbType.Text);
        Add(versions, entity => entity.Id, NpgsqlDbType.Text);
    }

    private void AddReplaced()
    {
        AddNumbers(replaced);
        Add(replaced, r => r.Document.Id, NpgsqlDbType.Text);
        Add(replaced, r => r.Document.Entity.Type, NpgsqlDbType.Text);
        Add(replaced, r => r.Document.Entity.Id, NpgsqlDbType.Text);
        Add(replaced, r => UInt128Codec.Encode(r.Document.Fingerprint), NpgsqlDbType.Bytea);
        Add(replaced, r => r.Document.WinnerVersion, NpgsqlDbType.Bigint);
        Add(replaced, r => MembersCodec.Write(r.Document.Members), NpgsqlDbType.Text);
        Add(replaced, r => r.IsVersion, NpgsqlDbType.Boolean);
    }

    private void AddLosers()
    {
        AddNumbers(losers);
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

    private void AddReceipts()
    {
        AddNumbers(receipts);
        Add(receipts, r => (short)r.Scope, NpgsqlDbType.Smallint);
        Add(receipts, r => r.Key, NpgsqlDbType.Text);
        Add(receipts, r => r.RawHash, NpgsqlDbType.Bytea);
        Add(receipts, r => r.RequestHash, NpgsqlDbType.Bytea);
        Add(receipts, r => r.Status, NpgsqlDbType.Integer);
        Add(receipts, r => r.Response, NpgsqlDbType.Bytea);
        Add(receipts, r => r.ExpiresMs, NpgsqlDbType.Bigint);
    }

    /// <summary>In a group, the commit of each item.</summary>
    private void AddNumbers<T>(Items<T> items)
    {
        if (IsGroup && items.Count > 0) PutAll(items.Numbers, number => number, NpgsqlDbType.Integer);
    }

    /// <summary>Nothing of a part that is not there.</summary>
    private void Add<T, TColumn>(Items<T> items, Func<T, TColumn> of, NpgsqlDbType type)
    {
        if (items.Count == 0) return;
        if (Parts.HasFlag(CommitParts.Single)) Put(of(items.All[0]), type);
        else PutAll(items.All, of, type);
    }

    private void PutAll<T, TColumn>(IReadOnlyList<T> items, Func<T, TColumn> of, NpgsqlDbType type)
    {
        var column = new TColumn[items.Count];
        for (var i = 0; i < column.Length; i++) column[i] = of(items[i]);
        Put(column, NpgsqlDbType.Array | type);
    }

    private void Put<T>(T value, NpgsqlDbType type)
    {
        if (next < to.Count) ((NpgsqlParameter<T>)to[next]).TypedValue = value;
        else to.Add(new NpgsqlParameter<T> { TypedValue = value, NpgsqlDbType = type });
        next++;
    }

    private Items<T> Gather<T>(Func<Commit, IReadOnlyList<T>> of)
    {
        if (!IsGroup) return new Items<T>(of(commits[0].Commit), []);
        var (all, numbers) = (new List<T>(commits.Count), new List<int>(commits.Count));
        for (var i = 0; i < commits.Count; i++)
        {
            var items = of(commits[i].Commit);
            all.AddRange(items);
            for (var j = 0; j < items.Count; j++) numbers.Add(i + 1);
        }

        return new Items<T>(all, numbers);
    }

    /// <param name="Numbers">In a group, the commit of each, from 1 on.</param>
    private readonly record struct Items<T>(IReadOnlyList<T> All, IReadOnlyList<int> Numbers)
    {
        public int Count => All.Count;
    }
}
