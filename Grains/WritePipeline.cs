using System.Diagnostics;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>
/// The path of a write. <see cref="QueuedWrite.From"/> has parsed and hashed its items, and <see cref="WriteQueue"/> has gathered the
/// writes that wait together. This class serves such a batch:
/// 1. a key that was answered is answered again; 2. each request is decided on a draft over those before it; 3. the documents that answers
/// need are read; 4. all of it is committed as one statement, fenced by the epoch and head it was decided on; 5. the heads take it in;
/// 6. the connections are told; 7. callers are answered. A lost fence goes back to 1 with fresher heads. Steps 1 to 3 are in
/// <see cref="CommitBatch"/>; docs/architecture.md, "The path of a push", begins at the socket.
/// </summary>
internal sealed class WritePipeline(
    UserId user, CoordinatorContext silo, LwwState state, ConfirmedState confirmed, IdempotencyCache cachedResponses,
    DeviceConnections connections)
{
    /// <summary>Work that has begun is finished, also if its caller has hung up: the answer belongs to the key.</summary>
    private static CancellationToken NoCancellation => CancellationToken.None;

    private readonly ReceiptQuota receiptQuota = new(user, silo);
    private readonly VersionQuota versionQuota = new(user, silo);
    private long? rights;

    public async ValueTask Serve(IReadOnlyList<QueuedWrite> writes)
    {
        connections.BeginCommit();
        try
        {
            await ServeAll(writes);
        }
        finally
        {
            connections.EndCommit();
        }
    }

    private async ValueTask ServeAll(IReadOnlyList<QueuedWrite> writes)
    {
        var (fencesLost, atMost) = (0, Limits.BatchRequestsMax);
        while (writes.Count > 0)
        {
            var ledger = await state.Get(NoCancellation);
            var batch = new CommitBatch(user, silo, ledger, cachedResponses);
            // A large write has the heads read beside the turns. Only this queue's runner changes them, and it waits here.
            var rest = await BodyWork.RunAsync(
                writes.Max(write => write.Bytes), (batch, writes, atMost),
                static work => work.batch.Draft(work.writes, work.atMost, NoCancellation)); // 1 to 3
            var result = batch.IsStale ? CommitResult.FenceLost : await Commit(batch, ledger);
            switch (result)
            {
                case CommitResult.Held:
                    Conclude(batch);
                    writes = rest;
                    break;
                case CommitResult.ReceiptTaken when batch.Requests.Count > 1:
                    atMost = 1;
                    break;
                case CommitResult.ReceiptTaken:
                    if (await ReplayStored(batch.Requests[0])) writes = rest;
                    break;
                default:
                    silo.Metrics.FencesLost.Add(1);
                    if (++fencesLost > Limits.FenceRetriesMax) throw new StoreUnavailableException("contention", outcomeUnknown: false);
                    writes = await RejectRefused(writes, ledger);
                    break;
            }
        }
    }

    private async ValueTask<CommitResult> Commit(CommitBatch batch, Ledger ledger)
    {
        if (batch.Requests.Count == 0) return CommitResult.Held;
        if (!batch.Writes) return await IsStillCurrent(batch) ? CommitResult.Held : CommitResult.FenceLost;

        var (startedAt, commit) = (silo.Clock.Read(), batch.Commit());
        var stopwatch = Stopwatch.GetTimestamp();
        var outcome = await silo.Store.Commit(user, commit, NoCancellation); // 4
        if (outcome.Result is not CommitResult.Held) return outcome.Result;
        silo.Metrics.Committed(batch.Requests.Count, commit, stopwatch);
        ledger.Adopt(batch.Drafted); // 5
        // A sweep may have taken tombstones that the heads still count.
        if (rights is not null && rights != outcome.Rights) state.Drop();
        rights = outcome.Rights;
        confirmed.Committed(ledger.Position, ledger.HistoryState.Digest, batch.NowMs, outcome.Rights, startedAt);
        return CommitResult.Held;
    }

    /// <summary>A decision to store nothing still depends on what is stored, and on whether the callers still have access.</summary>
    private async ValueTask<bool> IsStillCurrent(CommitBatch batch)
    {
        foreach (var caller in batch.Requests.Select(r => r.Caller).DistinctBy(c => (c.Device, c.TokenIssuedAtMs)))
        {
            var history = await silo.Store.HistoryState(user, caller.Device, silo.NowMs, NoCancellation);
            if (history.Token != batch.Position || history.Refusal(caller) is not RequestRefusal.None) return false;
        }

        return true;
    }

    private void Conclude(CommitBatch batch)
    {
        silo.Metrics.Decided(batch.Decisions, batch.NowMs);
        if (batch.Rows.Count > 0) connections.Announce(BuildAnnouncement(batch)); // 6
        foreach (var receipt in batch.Receipts) cachedResponses.Add(receipt);
        foreach (var (write, answer) in batch.Answers) write.Complete(answer); // 7
        if (batch.KeepsDocuments) _ = Trim();
        receiptQuota.Added(batch.Receipts);
        versionQuota.Added(batch.ReplacedTotals);
    }

    private Announcement BuildAnnouncement(CommitBatch batch)
    {
        var holders = batch.Answers.Where(a => HoldsWhatIsStored(a.Answer)).Select(a => a.Write).ToHashSet();
        var rows = new List<AnnouncedRow>(batch.Rows.Count);
        foreach (var (row, by) in batch.Rows)
        {
            rows.Add(new AnnouncedRow(Stored(row), holders.Contains(by) ? by.Request.ConnectionId : null, row.IsNew));
        }
        return new Announcement(batch.Position.Epoch, batch.Position.Seq, batch.Drafted.Last, rows)
        {
            CommittedTicks = silo.Time.GetUtcNow().UtcTicks,
        };
    }

    /// <summary>A sender is spared the echo only of what it holds as it was stored.</summary>
    private static bool HoldsWhatIsStored(WriteAnswer answer) => answer.Items?.All(item =>
        item.Document.IsEmpty && !item.IsCopyLeftOut && item.Status is ItemStatus.Unchanged or ItemStatus.Created or ItemStatus.Updated
            or ItemStatus.Deleted or ItemStatus.Refused) ?? false;

    private static StoredRow Stored(NewRow row) =>
        new(row.Entity, row.Head.Seq.Number, row.Head.Version, row.Head.PublishedMs, row.Head.DeletedMs, row.Data);

    /// <summary>The feed's bound is kept behind the answer; a failed trim is made up by the next one.</summary>
    private async Task Trim()
    {
        try
        {
            await silo.Store.TrimConflicts(user, silo.Quotas.ConflictsMax, NoCancellation);
        }
        catch (StoreUnavailableException fault)
        {
            silo.Log.StoreFailed(fault.Reason, fault);
        }
    }

    /// <summary>False when the receipt has expired in between: then the request is decided again.</summary>
    private async ValueTask<bool> ReplayStored(QueuedWrite write)
    {
        var keyed = write.Keyed!;
        if (await silo.Store.Receipt(user, keyed.Scope, keyed.Key, silo.NowMs, NoCancellation) is not { } receipt) return false;
        cachedResponses.Add(receipt);
        silo.Metrics.Replays.Add(1);
        write.Complete(keyed.Replay(receipt));
        return true;
    }

    /// <summary>
    /// Refuses the writes whose own callers the fence refused, and returns the others, which are decided again on newer heads.
    /// </summary>
    private async ValueTask<IReadOnlyList<QueuedWrite>> RejectRefused(IReadOnlyList<QueuedWrite> writes, Ledger stale)
    {
        confirmed.Invalidate();
        var position = stale.Position;
        var fresh = await state.Refresh(NoCancellation);
        if (fresh.Position != position) return writes;

        var others = new List<QueuedWrite>();
        foreach (var write in writes)
        {
            var history = await silo.Store.HistoryState(user, write.Caller.Device, silo.NowMs, NoCancellation);
            if (history.Refusal(write.Caller) is not RequestRefusal.None and var why) write.Complete(WriteAnswer.Refuse(why));
            else others.Add(write);
        }

        return others;
    }
}
