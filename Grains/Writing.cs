using System.Diagnostics;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>
/// Serves one group of waiting writes:
/// 1. a key that was answered is answered again; 2. each request is decided on a draft over those before it; 3. the documents that answers
/// need are read; 4. all of it is committed as one statement, fenced by the epoch and head it was decided on; 5. the ledger takes it in;
/// 6. rooms are told, here and by a hint elsewhere; 7. callers are answered. A lost fence goes back to 1 with a fresher ledger.
/// </summary>
internal sealed class Writing(UserId user, CoordinatorContext context, LedgerCache cache, AnswerMemory answers, Rooms rooms)
{
    private bool alone;

    /// <summary>Work begun is finished, whoever has hung up: the answer belongs to the key.</summary>
    private static CancellationToken ToTheEnd => CancellationToken.None;

    public async ValueTask Serve(IReadOnlyList<Pending> group)
    {
        var fencesLost = 0;
        while (group.Count > 0)
        {
            var ledger = await cache.Get(ToTheEnd);
            var shared = new SharedCommit(user, context, ledger, answers);
            var rest = await shared.Draft(group, alone ? 1 : Limits.GroupRequestsMax, ToTheEnd);
            var result = shared.IsStale ? CommitResult.FenceLost : await Commit(shared);
            switch (result)
            {
                case CommitResult.Held:
                    Conclude(ledger, shared);
                    group = rest;
                    break;
                case CommitResult.ReceiptTaken when shared.Requests.Count > 1:
                    alone = true;
                    break;
                case CommitResult.ReceiptTaken:
                    if (await ReplayStored(shared.Requests[0])) group = rest;
                    break;
                default:
                    context.Metrics.FenceLost();
                    if (++fencesLost > Limits.FenceRetriesMax) throw new StoreUnavailableException("contention", outcomeUnknown: false);
                    group = await TurnAway(group, ledger);
                    break;
            }
        }
    }

    private async ValueTask<CommitResult> Commit(SharedCommit shared)
    {
        if (shared.Requests.Count == 0) return CommitResult.Held;
        if (!shared.Writes) return await StillStands(shared) ? CommitResult.Held : CommitResult.FenceLost;

        var startedAt = Stopwatch.GetTimestamp();
        var commit = shared.Commit();
        var result = (await context.Store.Commit(user, commit, ToTheEnd)).Result;
        if (result is CommitResult.Held) context.Metrics.Committed(shared.Requests.Count, commit.Rows.Count, commit.Losers.Count + commit.Replaced.Count, startedAt);
        return result;
    }

    /// <summary>Nothing to store is still a decision on what is stored, and on who may hear of it.</summary>
    private async ValueTask<bool> StillStands(SharedCommit shared)
    {
        foreach (var caller in shared.Requests.Select(r => r.Caller).DistinctBy(c => (c.Device, c.TokenIssuedAtMs)))
        {
            var standing = await context.Store.Standing(user, caller.Device, context.NowMs, ToTheEnd);
            if (standing.Token != shared.Position || standing.Refusal(caller) is not RequestRefusal.None) return false;
        }

        return true;
    }

    private void Conclude(Ledger ledger, SharedCommit shared)
    {
        var position = ledger.Position;
        cache.Adopt(ledger, shared.Drafted);
        if (!rooms.AreEmpty && shared.Rows.Count > 0) rooms.Announce(AnnouncementOf(shared, position));
        if (shared.Rows.Count > 0) context.Hints.Send(new HeadMoved(user, new SyncToken(position.Epoch, shared.Drafted.Last)));
        foreach (var receipt in shared.Receipts) answers.Remember(receipt);
        foreach (var (pending, answer) in shared.Answers) pending.Complete(answer);
        if (shared.KeepsDocuments) _ = Trim();
    }

    private static Announcement AnnouncementOf(SharedCommit shared, SyncToken before)
    {
        var holders = shared.Answers.Where(a => HoldsWhatIsStored(a.Answer)).Select(a => a.Pending).ToHashSet();
        return new Announcement(before.Epoch, before.Seq, shared.Drafted.Last, [.. shared.Rows.Select(r => new AnnouncedRow(Stored(r.Row), holders.Contains(r.By) ? r.By.Request.ConnectionId : null, r.Row.IsNew))]);
    }

    /// <summary>A sender is spared the echo only of what it holds as it was stored.</summary>
    private static bool HoldsWhatIsStored(WriteAnswer answer) => answer.Items?.All(item =>
        item.Document.IsEmpty && item.Status is ItemStatus.Unchanged or ItemStatus.Created or ItemStatus.Updated or ItemStatus.Deleted or ItemStatus.Refused) ?? false;

    private static StoredRow Stored(NewRow row) =>
        new(row.Entity, row.Head.Seq.Number, row.Head.Version, row.Head.OutMs, row.Head.DeletedMs, row.Data);

    /// <summary>The feed's bound is kept behind the answer; a failed trim is made up by the next one.</summary>
    private async Task Trim()
    {
        try
        {
            await context.Store.TrimConflicts(user, context.Quotas.ConflictsMax, ToTheEnd);
        }
        catch (StoreUnavailableException fault)
        {
            context.Log.StoreFailed(fault.Reason, fault);
        }
    }

    /// <summary>False when the receipt has expired in between: then the request is decided again.</summary>
    private async ValueTask<bool> ReplayStored(Pending pending)
    {
        var keyed = pending.Keyed!;
        if (await context.Store.Receipt(user, keyed.Scope, keyed.Key, context.NowMs, ToTheEnd) is not { } receipt) return false;
        answers.Remember(receipt);
        context.Metrics.Replayed();
        pending.Complete(keyed.Replay(receipt));
        return true;
    }

    /// <summary>Refuses those whom the fence kept out for themselves, and goes on with the others on a fresher ledger.</summary>
    private async ValueTask<IReadOnlyList<Pending>> TurnAway(IReadOnlyList<Pending> group, Ledger stale)
    {
        var position = stale.Position;
        var fresh = await cache.Refresh(ToTheEnd);
        if (fresh.Position != position) return group;

        var welcome = new List<Pending>();
        foreach (var pending in group)
        {
            var standing = await context.Store.Standing(user, pending.Caller.Device, context.NowMs, ToTheEnd);
            if (standing.Refusal(pending.Caller) is not RequestRefusal.None and var why) pending.Complete(WriteAnswer.Refuse(why));
            else welcome.Add(pending);
        }

        return welcome;
    }
}
