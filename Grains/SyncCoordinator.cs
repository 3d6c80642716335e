using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains;

/// <summary>
/// The authority over one user's entities, the same in every engine. Writes queue here and are decided one group at a time by
/// <see cref="Writing"/>; reads go to the store at once. It holds nothing that the store could not give back.
/// </summary>
internal sealed class SyncCoordinator(UserId user, CoordinatorContext context) : ISyncCoordinator
{
    private readonly Mailbox mailbox = new();
    private readonly AnswerMemory answers = new();
    private readonly KnownDevices devices = new(user, context);
    private readonly Rooms rooms = new(context.Log);
    private readonly LedgerCache ledger = new(user, context);
    private Seen? presence;

    /// <summary>When it was last called, Unix ms.</summary>
    public long LastUsedMs { get; private set; } = context.NowMs;

    /// <summary>Nothing waits and nobody listens: it may be forgotten.</summary>
    public bool IsIdle => mailbox.IsIdle && rooms.AreEmpty;

    /// <summary>Heads in memory, for the process-wide bound.</summary>
    public int Heads => ledger.Count;

    public async ValueTask<WriteAnswer> Write(WriteRequest request, CancellationToken cancel)
    {
        if (!await See(request.Caller, cancel)) return WriteAnswer.Refuse(RequestRefusal.DeviceQuota);
        var keyed = KeyedBody.Of(request);
        if (keyed is not null && answers.Find(keyed, context.NowMs) is { } first) return await Replay(request.Caller, keyed.Replay(first), cancel);
        return await Queue(Pending.Of(request, keyed), cancel);
    }

    /// <summary>A remembered answer needs no ledger, but its caller must still be welcome.</summary>
    private async ValueTask<WriteAnswer> Replay(Caller caller, WriteAnswer answer, CancellationToken cancel)
    {
        var standing = await context.Store.Standing(user, caller.Device, context.NowMs, cancel);
        if (standing.Refusal(caller) is not RequestRefusal.None and var why) return WriteAnswer.Refuse(why);
        context.Metrics.Replayed();
        return answer;
    }

    private async ValueTask<WriteAnswer> Queue(Pending pending, CancellationToken cancel)
    {
        if (!mailbox.TryPut(pending, out var start)) return WriteAnswer.Refuse(RequestRefusal.Busy);
        if (start) _ = Run();
        return await pending.Answer.WaitAsync(cancel);
    }

    /// <summary>Runs until nothing waits. A failure is the group's own: what waits behind it starts from a fresh ledger.</summary>
    private async Task Run()
    {
        while (mailbox.TakeGroup() is { Count: > 0 } group)
        {
            var writing = new Writing(user, context, ledger, answers, rooms);
            try
            {
                await writing.Serve(group);
            }
            catch (StoreUnavailableException fault)
            {
                context.Metrics.Faulted(fault.Reason);
                context.Log.StoreFailed(fault.Reason, fault);
                if (fault.OutcomeUnknown) ledger.Drop();
                foreach (var pending in group) pending.Fail(fault);
            }
            catch (Exception bug)
            {
                context.Log.CoordinatorBroke(bug);
                ledger.Drop();
                foreach (var pending in group) pending.Fail(bug);
            }
        }
    }

    public async ValueTask<Standing> Standing(Caller caller, CancellationToken cancel)
    {
        await See(caller, cancel);
        return await context.Store.Standing(user, caller.Device, context.NowMs, cancel);
    }

    public async ValueTask<ReadPage> Read(Caller caller, ReadQuery query, CancellationToken cancel)
    {
        await See(caller, cancel, query.AfterKey is null ? query.After : Revision.Origin);
        return await context.Store.Read(user, caller.Device, query, context.NowMs, cancel);
    }

    public async ValueTask<StatusReport> Status(Caller caller, CancellationToken cancel)
    {
        var standing = await Standing(caller, cancel);
        var seen = await Presence(cancel);
        return new StatusReport(standing, seen.Devices, seen.Connections, await LiveByType(caller, standing, cancel));
    }

    private async ValueTask<Seen> Presence(CancellationToken cancel)
    {
        var nowMs = context.NowMs;
        if (presence is { } fresh && nowMs - fresh.AtMs < Limits.PresenceFreshMs) return fresh;
        var (known, connections) = await context.Store.Presence(user, nowMs, cancel);
        return presence = new Seen(nowMs, known, connections);
    }

    /// <summary>A write of nothing brings the ledger to where the store stands; only the mailbox's runner may move it.</summary>
    private async ValueTask<IReadOnlyDictionary<string, int>> LiveByType(Caller caller, Standing standing, CancellationToken cancel)
    {
        if (ledger.LiveByType(standing) is { } counts) return counts;
        await Queue(Pending.Of(new WriteRequest(caller, WriteScope.Push, null, default, []), null), cancel);
        return ledger.LiveByType(standing) ?? throw new StoreUnavailableException("contention", outcomeUnknown: false);
    }

    public ValueTask<IReadOnlyList<ConflictReport>> Conflicts(string? after, int limit, CancellationToken cancel) =>
        context.Store.Conflicts(user, after, limit, cancel);

    public async ValueTask<WriteAnswer> Restore(Caller caller, string conflictId, CancellationToken cancel)
    {
        if (await context.Store.Conflict(user, conflictId, cancel) is not { } conflict) return WriteAnswer.Refuse(RequestRefusal.NotFound);
        var answer = await Queue(Pending.Restoring(conflict, caller, context.NowMs), cancel);
        if (answer.Refusal is RequestRefusal.None && answer.Items is [{ Status: not ItemStatus.Refused }]) await Dismiss(conflictId, cancel);
        return answer;
    }

    public ValueTask<bool> Dismiss(string conflictId, CancellationToken cancel) =>
        context.Store.DeleteConflict(user, conflictId, cancel);

    public async ValueTask<IReadOnlyList<DeviceReport>> Devices(CancellationToken cancel)
    {
        await devices.Flush(cancel);
        return await context.Store.Devices(user, cancel);
    }

    public async ValueTask<bool> Admit(DeviceId device, bool allowed, CancellationToken cancel)
    {
        if (!await context.Store.RevokeDevice(user, device, allowed ? null : context.NowMs, cancel)) return false;
        if (!allowed) context.Hints.Send(new DeviceRevoked(user, device));
        return true;
    }

    /// <summary>
    /// A token's issue time is in whole seconds, so one issued within this very second counts as before: a sign-in right after gets its
    /// token in the next second at the latest.
    /// </summary>
    public async ValueTask<long> SignOutEverywhere(CancellationToken cancel)
    {
        var notBeforeMs = ((context.NowMs / 1000) + 1) * 1000;
        await context.Store.SignOut(user, notBeforeMs, cancel);
        context.Hints.Send(new SignedOut(user, notBeforeMs));
        return notBeforeMs;
    }

    public async ValueTask<Standing> Erase(CancellationToken cancel)
    {
        await context.Store.Erase(user, context.NowMs, cancel);
        ledger.Drop();
        answers.Clear();
        devices.Clear();
        var standing = await context.Store.Standing(user, null, context.NowMs, cancel);
        context.Hints.Send(new HeadMoved(user, standing.Token));
        return standing;
    }

    public void Attach(IRoom room) => rooms.Add(room);

    public void Detach(IRoom room) => rooms.Remove(room);

    private ValueTask<bool> See(Caller caller, CancellationToken cancel, Revision cursor = default)
    {
        LastUsedMs = context.NowMs;
        return caller.Device is { } device ? devices.See(device, cursor, cancel) : ValueTask.FromResult(true);
    }

    /// <summary>A class, so that a status asked meanwhile sees all of it or none.</summary>
    private sealed record Seen(long AtMs, int Devices, int Connections);
}
