using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>Requests decided one over the other on one ledger, to be committed together or not at all.</summary>
internal sealed class SharedCommit(UserId user, CoordinatorContext context, Ledger ledger, AnswerMemory answers)
{
    private readonly List<Pending> requests = [];
    private readonly List<(Pending, WriteAnswer)> decided = [];
    private readonly List<(NewRow Row, Pending By)> rows = [];
    private readonly List<Loser> losers = [];
    private readonly List<ReplacedDocument> replaced = [];
    private readonly List<Receipt> receipts = [];
    private readonly HashSet<(WriteScope, string)> keys = [];

    public long NowMs { get; } = context.NowMs;

    /// <summary>What all of it was decided on.</summary>
    public SyncToken Position { get; } = ledger.Position;

    public Draft Drafted { get; } = new(ledger);

    /// <summary>A document that an answer needs is of another revision than the ledger knows: another node was faster.</summary>
    public bool IsStale { get; private set; }

    public IReadOnlyList<Pending> Requests => requests;

    public IReadOnlyList<(Pending Pending, WriteAnswer Answer)> Answers => decided;

    /// <summary>What is to be stored, by revision, and which request wrote it.</summary>
    public IReadOnlyList<(NewRow Row, Pending By)> Rows => rows;

    public IReadOnlyList<Receipt> Receipts => receipts;

    public bool Writes => rows.Count + losers.Count + receipts.Count > 0;

    public bool KeepsDocuments => losers.Count + replaced.Count > 0;

    /// <summary>Decides requests in order until one must wait for the next commit; answers those that are still to be served.</summary>
    public async ValueTask<IReadOnlyList<Pending>> Draft(IReadOnlyList<Pending> group, int atMost, CancellationToken cancel)
    {
        var next = 0;
        for (; next < group.Count && requests.Count < atMost; next++)
        {
            var pending = group[next];
            if (pending.Keyed is { } keyed && answers.Find(keyed, NowMs) is { } first)
            {
                context.Metrics.Replayed();
                pending.Complete(keyed.Replay(first));
                continue;
            }

            if (!CanJoin(pending)) break;
            await Decide(pending, cancel);
            if (IsStale) break;
        }

        return [.. group.Skip(next)];
    }

    /// <summary>One row per entity and one receipt per key fit into a statement; and what a batch has missed is read at the ledger's head.</summary>
    private bool CanJoin(Pending pending) =>
        requests.Count == 0
        || (!WantsChanges(pending.Request)
            && (pending.Keyed is null || !keys.Contains((pending.Keyed.Scope, pending.Keyed.Key)))
            && !pending.Items.Any(i => !i.IsRefused && Drafted.Changed.ContainsKey(i.Entity)));

    private async ValueTask Decide(Pending pending, CancellationToken cancel)
    {
        requests.Add(pending);
        var request = pending.Request;
        if (request.OnlyOnBase && !StandsOnBase(pending))
        {
            await TurnDown(pending, cancel);
            return;
        }

        var terms = new Terms(user, NowMs, request.Caller.Device, request.Cursor.Epoch == Position.Epoch, context.Quotas, pending.OnTopOfAnything);
        var decision = Deciding.Decide(Drafted, terms, pending.Items);
        var stored = await Stored(decision.Needed(), cancel);
        var missed = WantsChanges(request) ? await Missed(request, cancel) : null;
        if (IsStale) return;

        var applies = !(request.Strict && decision.HasConflictOrRefusal);
        var written = decision.Rows(stored);
        var results = decision.Results(written, stored);
        var before = Drafted.Last;
        if (applies) Take(pending, decision, written);
        var outcome = OutcomeOf(pending, applies, results, before, missed);
        Answer(pending, outcome);
    }

    private bool StandsOnBase(Pending pending) =>
        pending.Items.All(i => i.IsRefused || (Drafted.Find(i.Entity)?.Version ?? 0) == (i.BaseVersion ?? 0));

    /// <summary>
    /// Decided like any other, so that it holds only if the ledger is not behind the store. A repetition finds its base moved by itself:
    /// its receipt tells.
    /// </summary>
    private async ValueTask TurnDown(Pending pending, CancellationToken cancel)
    {
        var first = pending.Keyed is { } keyed ? await context.Store.Receipt(user, keyed.Scope, keyed.Key, NowMs, cancel) : null;
        decided.Add((pending, first is null ? WriteAnswer.Refuse(RequestRefusal.BaseMoved) : pending.Keyed!.Replay(first)));
    }

    private void Take(Pending pending, Decision decision, IReadOnlyList<NewRow> written)
    {
        Drafted.Take(decision.Draft);
        rows.AddRange(written.Select(row => (row, pending)));
        losers.AddRange(decision.Losers);
        replaced.AddRange(decision.Replaced);
    }

    private WriteOutcome OutcomeOf(
        Pending pending, bool applies, IReadOnlyList<ItemResult> results, Revision before, ReadPage? missed)
    {
        var request = pending.Request;
        if (missed is null) return new WriteOutcome(applies, results, Token(request.Cursor, before), NotMentioned(pending));

        var named = results.Select(r => r.Entity).ToHashSet();
        var changes = missed.Rows.Where(r => !named.Contains(r.Entity)).ToList();
        var token = request.Cursor.At(missed.More ? new Revision(missed.Rows[^1].Seq) : Drafted.Last);
        return new WriteOutcome(applies, results, token, 0, changes, missed.More);
    }

    /// <summary>The new head only for a client that had everything before this request; else what it had.</summary>
    private SyncToken Token(SyncToken cursor, Revision before) =>
        cursor == new SyncToken(Position.Epoch, before) ? new SyncToken(Position.Epoch, Drafted.Last) : cursor;

    private int NotMentioned(Pending pending) =>
        pending.Request.Scope is WriteScope.Batch
            ? Drafted.Tally.Live - pending.Items.Where(i => !i.IsRefused).Select(i => i.Entity).Distinct()
                .Count(e => Drafted.Find(e) is { IsDeleted: false })
            : 0;

    private void Answer(Pending pending, WriteOutcome outcome)
    {
        var (status, body) = context.Format.Write(pending.Request, outcome);
        decided.Add((pending, new WriteAnswer(RequestRefusal.None, status, body, Replayed: false, outcome.Items)));
        if (pending.Keyed is not { } keyed) return;
        keys.Add((keyed.Scope, keyed.Key));
        receipts.Add(keyed.Receipt(status, body, NowMs));
    }

    private bool WantsChanges(WriteRequest request) =>
        request.Scope is WriteScope.Batch && request.Cursor != SyncToken.Start && !ledger.Standing.Resets(request.Cursor);

    private async ValueTask<ReadPage> Missed(WriteRequest request, CancellationToken cancel)
    {
        var page = await context.Store.Read(user, request.Caller.Device, new ReadQuery { After = request.Cursor.Seq }, NowMs, cancel);
        IsStale |= page.Standing.Token != Position;
        return page;
    }

    private async ValueTask<IReadOnlyDictionary<EntityKey, StoredRow>> Stored(
        IReadOnlyDictionary<EntityKey, EntityHead> needed, CancellationToken cancel)
    {
        if (needed.Count == 0) return new Dictionary<EntityKey, StoredRow>();
        var stored = (await context.Store.Rows(user, [.. needed.Keys], cancel)).ToDictionary(r => r.Entity);
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
        receipts);
}
