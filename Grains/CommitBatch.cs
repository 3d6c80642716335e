using Mirubato.Grains.Domain;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>Requests decided one over the other on one ledger, to be committed together or not at all.</summary>
internal sealed class CommitBatch(UserId user, CoordinatorContext silo, Ledger ledger, IdempotencyCache cachedResponses)
{
    private readonly List<QueuedWrite> requests = [];
    private readonly List<(QueuedWrite, WriteAnswer)> decided = [];
    private readonly List<Decision> decisions = [];
    private readonly List<(NewRow Row, QueuedWrite By)> rows = [];
    private readonly List<Loser> losers = [];
    private readonly List<ReplacedDocument> replaced = [];
    private readonly List<Receipt> receipts = [];
    private readonly HashSet<(WriteScope, string)> keys = [];
    private long tiedBytes;

    public long NowMs { get; } = silo.NowMs;

    /// <summary>What all of it was decided on.</summary>
    public SyncToken Position { get; } = ledger.Position;

    public Draft Drafted { get; } = new(ledger);

    /// <summary>A document that an answer needs is of another revision than the ledger knows: another activation was faster.</summary>
    public bool IsStale { get; private set; }

    public IReadOnlyList<QueuedWrite> Requests => requests;

    public IReadOnlyList<(QueuedWrite Write, WriteAnswer Answer)> Answers => decided;

    public IReadOnlyList<Decision> Decisions => decisions;

    /// <summary>What is to be stored, by revision, and which request wrote it.</summary>
    public IReadOnlyList<(NewRow Row, QueuedWrite By)> Rows => rows;

    public IReadOnlyList<Receipt> Receipts => receipts;

    /// <summary>Entities whose stored state becomes a version.</summary>
    public IReadOnlyList<EntityKey> Replaced => [.. ReplacingRows.Select(row => row.Entity)];

    /// <summary>What these versions come to.</summary>
    public StoredTotals ReplacedTotals
    {
        get
        {
            var totals = default(StoredTotals);
            foreach (var row in ReplacingRows) totals = totals.Add(new StoredTotals(1, row.ReplacedBytes!.Value));
            return totals;
        }
    }

    private IEnumerable<NewRow> ReplacingRows =>
        rows.Select(r => r.Row).Where(row => row.ReplacedBytes is not null && silo.Quotas.KeepsHistory(row.Entity.Type));

    public bool Writes => rows.Count + losers.Count + receipts.Count > 0;

    public bool KeepsDocuments => losers.Count + replaced.Count > 0;

    /// <summary>Decides requests in order until one must wait for the next commit; answers those that are still to be served.</summary>
    public async ValueTask<IReadOnlyList<QueuedWrite>> Draft(IReadOnlyList<QueuedWrite> group, int atMost, CancellationToken cancel)
    {
        var next = 0;
        for (; next < group.Count && requests.Count < atMost; next++)
        {
            var write = group[next];
            if (write.Keyed is { } keyed && cachedResponses.Find(keyed.Scope, keyed.Key, NowMs) is { } first)
            {
                silo.Metrics.Replays.Add(1);
                write.Complete(keyed.Replay(first));
                continue;
            }

            if (!CanJoin(write)) break;
            await Decide(write, cancel);
            if (IsStale || tiedBytes > Limits.TiedBytesMax) break;
        }

        return [.. group.Skip(next)];
    }

    /// <summary>
    /// One row per entity and one receipt per key fit into a statement; and what a batch has missed is read at the ledger's head.
    /// </summary>
    private bool CanJoin(QueuedWrite write) =>
        requests.Count == 0
        || (!WantsChanges(write.Request)
            && (write.Keyed is null || !keys.Contains((write.Keyed.Scope, write.Keyed.Key)))
            && !write.Items.Any(i => !i.IsRefused && Drafted.FindChange(i.Entity) is not null));

    private async ValueTask Decide(QueuedWrite write, CancellationToken cancel)
    {
        requests.Add(write);
        var request = write.Request;
        if (write.WantsReceiptOnly || (request.OnlyOnBase && !IsOnBase(write)))
        {
            await AnswerByReceipt(write, cancel);
            return;
        }

        var baseCounts = write.NamesBases || request.Cursor.Epoch == Position.Epoch;
        var terms = new DecisionTerms(
            user, NowMs, write.CountsAsNoDevice ? null : request.Caller.Device, baseCounts, silo.Quotas, write.OnTopOfAnything,
            request.RevivesDeleted, request.Merges && baseCounts ? await Histories(write, cancel) : null);
        if (IsStale) return;
        var decision = Deciding.Decide(Drafted, terms, write.LeavesOutMoved ? write.Items.Where(IsOnBase) : write.Items);
        if (decision.MergeFallbacks > 0) silo.Metrics.MergeFallbacks.Add(decision.MergeFallbacks);
        if (decision.TiedBytes > Limits.TiedBytesMax)
        {
            decided.Add((write, WriteAnswer.Refuse(RequestRefusal.TooManyTies)));
            return;
        }

        var stored = await Stored(decision.Needed(), cancel);
        var missed = WantsChanges(request) ? await ReadChanges(request, cancel) : null;
        if (IsStale) return;

        var applies = !(request.Strict && decision.HasConflictOrRefusal);
        tiedBytes += decision.TiedBytes;
        decisions.Add(decision);
        var written = decision.Rows(stored);
        var results = decision.Results(stored);
        var before = Drafted.Last;
        if (applies) Take(write, decision, written);
        var outcome = BuildOutcome(write, applies, results, before, missed);
        Answer(write, outcome);
    }

    private bool IsOnBase(QueuedWrite write) => write.Items.All(IsOnBase);

    private bool IsOnBase(ParsedItem item) => item.IsRefused || (Drafted.Find(item.Entity)?.Version ?? 0) == (item.BaseVersion ?? 0);

    /// <summary>
    /// The stored versions of the entities that the request may have to merge, each from the oldest base that an item names.
    /// </summary>
    private async ValueTask<IReadOnlyDictionary<EntityKey, MergeHistory>> Histories(QueuedWrite write, CancellationToken cancel)
    {
        var oldest = new Dictionary<EntityKey, long>();
        foreach (var item in write.Items)
        {
            if (item.IsRefused || item.IsDelete || item.BaseVersion is not { } named || !silo.Quotas.Merges(item.Entity.Type)) continue;
            var isOlder = Drafted.Find(item.Entity) is { IsDeleted: false } head && named < head.Version
                && named >= head.Version - Limits.MergeVersionsMax;
            if (isOlder) oldest[item.Entity] = Math.Min(named, oldest.GetValueOrDefault(item.Entity, named));
        }

        var found = await silo.Store.VersionsFrom(user, oldest, Limits.MergeBytesMax, cancel);
        var histories = found.GroupBy(version => version.Entity).ToDictionary(
            versions => versions.Key,
            versions => new MergeHistory([.. versions.Select(v => new MergeVersion(v.Version, v.Data, v.EffectiveMs, v.ChangeTime))]));
        IsStale |= oldest.Keys.Any(entity => histories.GetValueOrDefault(entity)?.Current.Version != Drafted.Find(entity)!.Version);
        return histories;
    }

    /// <summary>
    /// Answers with the receipt of the key, or else refuses: the repetition of a write finds its base moved by itself. Like any decision
    /// this counts only if the ledger is not behind the store.
    /// </summary>
    private async ValueTask AnswerByReceipt(QueuedWrite write, CancellationToken cancel)
    {
        var first = write.Keyed is { } keyed ? await silo.Store.Receipt(user, keyed.Scope, keyed.Key, NowMs, cancel) : null;
        var otherwise = WriteAnswer.Refuse(write.WantsReceiptOnly ? RequestRefusal.NotFound : RequestRefusal.BaseMoved);
        decided.Add((write, first is null ? otherwise : write.Keyed!.Replay(first)));
    }

    private void Take(QueuedWrite write, Decision decision, IReadOnlyList<NewRow> written)
    {
        Drafted.Take(decision.Draft);
        rows.AddRange(written.Select(row => (row, write)));
        losers.AddRange(decision.Losers);
        replaced.AddRange(decision.Replaced);
    }

    private WriteOutcome BuildOutcome(QueuedWrite write, bool applies, IReadOnlyList<ItemResult> results, Revision before, ReadPage? missed)
    {
        var request = write.Request;
        var leavesOutCopies = results.Any(result => result.IsCopyLeftOut);
        if (missed is null)
        {
            return new WriteOutcome(
                applies, results, leavesOutCopies ? request.Cursor : Token(request.Cursor, before), NotMentioned(write));
        }

        var fitting = Fitting(missed.Rows);
        var more = missed.More || fitting.Count < missed.Rows.Count;
        var named = results.Select(r => r.Entity).ToHashSet();
        var changes = fitting.FindAll(r => !named.Contains(r.Entity));
        var token = request.Cursor.At(more ? new Revision(fitting[^1].Seq) : leavesOutCopies ? request.Cursor.Seq : Drafted.Last);
        return new WriteOutcome(applies, results, token, 0, changes, more);
    }

    /// <summary>As many rows as the answer has room for, and at least one.</summary>
    private static List<StoredRow> Fitting(List<StoredRow> rows)
    {
        var bytes = 0L;
        var fitting = rows.FindIndex(row => (bytes += row.Data.Length) > Limits.AnswerChangesBytesMax);
        return fitting < 0 ? rows : rows[..Math.Max(1, fitting)];
    }

    /// <summary>The new head for a client that had everything before this request; else the client's own position.</summary>
    private SyncToken Token(SyncToken cursor, Revision before) =>
        cursor == new SyncToken(Position.Epoch, before) ? new SyncToken(Position.Epoch, Drafted.Last) : cursor;

    /// <summary>Live entities that a batch does not name.</summary>
    private int NotMentioned(QueuedWrite write)
    {
        if (write.Request.Scope is not WriteScope.Batch) return 0;
        var named = new HashSet<EntityKey>(write.Items.Count);
        return Drafted.Tally.Live - write.Items.Count(item =>
            !item.IsRefused && named.Add(item.Entity) && Drafted.Find(item.Entity) is { IsDeleted: false });
    }

    private void Answer(QueuedWrite write, WriteOutcome outcome)
    {
        var (status, body) = silo.Format.Write(write.Request, outcome);
        var answer = new WriteAnswer(RequestRefusal.None, status, body, Replayed: false, [.. outcome.Items]);
        decided.Add((write, answer with { Head = new SyncToken(Position.Epoch, Drafted.Last) }));
        if (write.Keyed is not { } keyed) return;
        keys.Add((keyed.Scope, keyed.Key));
        receipts.Add(keyed.Receipt(status, body, NowMs));
    }

    private bool WantsChanges(WriteRequest request) =>
        request.Scope is WriteScope.Batch && request.Cursor != SyncToken.Start && !ledger.HistoryState.Resets(request.Cursor);

    private async ValueTask<ReadPage> ReadChanges(WriteRequest request, CancellationToken cancel)
    {
        var page = await silo.Store.Read(user, request.Caller.Device, new ReadQuery { After = request.Cursor.Seq }, NowMs, cancel);
        IsStale |= page.HistoryState.Token != Position;
        return page;
    }

    private async ValueTask<IReadOnlyDictionary<EntityKey, StoredRow>> Stored(
        IReadOnlyDictionary<EntityKey, EntityHead> needed, CancellationToken cancel)
    {
        if (needed.Count == 0) return new Dictionary<EntityKey, StoredRow>();
        var stored = (await silo.Store.Rows(user, [.. needed.Keys], cancel)).ToDictionary(r => r.Entity);
        IsStale |= needed.Any(n => stored.GetValueOrDefault(n.Key)?.Seq != n.Value.Seq.Number);
        return stored;
    }

    public Commit Commit() => new(
        Position,
        Drafted.Last,
        Drafted.Tally.Digest,
        NowMs,
        requests.Min(r => r.Caller.TokenIssuedAtMs),
        [.. requests.Select(r => r.Caller.Device).OfType<DeviceId>().Distinct()],
        [.. rows.Select(r => r.Row)],
        replaced,
        [.. losers.DistinctBy(l => l.Id)],
        receipts)
    {
        Versions = Replaced,
    };
}
