using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Mirubato.Grains;

/// <summary>
/// The coordinator of one user: the user's device connections, idempotency cache and last-write-wins state, and the calls on them. It runs
/// on the grain's turns, one at a time; calls interleave at awaits, so that writes that wait together share a commit. It holds nothing that
/// the store could not give back. Should Orleans run two activations of a user for a moment, the fence of each commit makes the second
/// harmless.
/// </summary>
[GrainType(ISyncCoordinatorGrain.GrainType), Reentrant, PreferLocalPlacement]
internal sealed partial class SyncCoordinatorGrain
    : Grain, ISyncCoordinatorGrain, IUserStatusGrain, IUserConnectionsGrain
{
    private readonly UserId user;
    private readonly CoordinatorContext silo;

    private readonly DeviceConnections connections;
    private readonly IdempotencyCache cachedResponses = new();
    private readonly LwwState state;
    private readonly ConfirmedState confirmed;
    private WriteQueue? queue;
    private readonly Tickets tickets;

    /// <summary>Its context is not injected: a service of each activation's own would cost it a table of them.</summary>
    [ActivatorUtilitiesConstructor]
    public SyncCoordinatorGrain(CoordinatorContext silo)
        : this(null, silo)
    {
    }

    /// <param name="user">Null: the one whom Orleans activates it for. With a name there is no Orleans around it, and its callers use one
    /// exclusive scheduler.</param>
    /// <param name="silo">What all coordinators of the process share.</param>
    internal SyncCoordinatorGrain(UserId? user, CoordinatorContext silo)
    {
        (this.user, this.silo) = (user ?? new UserId(GrainContext.GrainId.Key.ToString()!), silo);
        connections = new DeviceConnections(this.user, silo);
        state = new LwwState(this.user, silo);
        confirmed = new ConfirmedState(this.user, silo);
        tickets = new Tickets(silo.Time);
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        silo.Active.Add(this, TaskScheduler.Current);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        silo.Active.Remove(this);
        connections.Tell(new UserNews(user) { ActivationEnded = true });
        return Task.CompletedTask;
    }

    public Task<Reply<WriteAnswer>> Write(WriteRequest request) => Answer(async () =>
    {
        using var span = Tracing.Start("write", ActivityKind.Server, Tracing.Parse(request.Trace));
        return await Run(request, QueuedWrite.From);
    });

    public Task<Reply<WriteAnswer>> FindReceipt(ReceiptQuery query) => Answer(async () =>
    {
        using var span = Tracing.Start("find-receipt", ActivityKind.Server, Tracing.Parse(query.Trace));
        return await Run(new WriteRequest(query.Caller, query.Scope, query.Key, query.Body, []), QueuedWrite.FindingReceipt);
    });

    public Task<Reply<bool>> Revoke(RevokeRequest request) => Answer(async () =>
    {
        confirmed.Invalidate();
        if (!await silo.Store.RevokeDevice(user, request.Device, request.Revoked ? silo.NowMs : null, NoCancellation)) return false;
        confirmed.Invalidate();
        if (request.Revoked) connections.Tell(new UserNews(user) { Revoked = [request.Device] });
        return true;
    });

    /// <summary>
    /// A token's issue time is in whole seconds, so one issued within this very second counts as before: a sign-in right after gets its
    /// token in the next second at the latest.
    /// </summary>
    public Task<Reply<long>> SignOutEverywhere() => Answer(async () =>
    {
        confirmed.Invalidate();
        var notBeforeMs = ((silo.NowMs / 1000) + 1) * 1000;
        await silo.Store.SignOut(user, notBeforeMs, NoCancellation);
        confirmed.Invalidate();
        tickets.Clear();
        connections.Tell(new UserNews(user) { NotBeforeMs = notBeforeMs });
        return notBeforeMs;
    });

    public Task<Reply<HistoryState>> Erase() => Answer(async () =>
    {
        confirmed.Invalidate();
        await silo.Store.Erase(user, silo.NowMs, NoCancellation);
        StartOver();
        return (await Confirm(confirmed.Ask)).HistoryState;
    });

    public Task<Reply<bool>> StartAbove(Revision last) => Answer(async () =>
    {
        confirmed.Invalidate();
        if (!await silo.Store.StartAbove(user, last, silo.NowMs, NoCancellation)) return false;
        StartOver();
        await Confirm(confirmed.Ask);
        return true;
    });

    public Task<Reply<HistoryState>> Resync() => Answer(async () =>
    {
        confirmed.Invalidate();
        await silo.Store.BumpEpoch(user, NoCancellation);
        confirmed.Invalidate();
        StartOver();
        return (await Confirm(confirmed.Ask)).HistoryState;
    });

    public async Task<RosterReply> Report(Roster roster)
    {
        var (isKnown, refused) = await connections.Take(roster);
        KeepAlive();
        return new RosterReply(silo.Address, isKnown, refused, connections.Head, connections.RecentHeads.MinuteOld(silo.NowMs));
    }

    public Task IssueTicket(TicketGrant ticket)
    {
        tickets.Issue(ticket);
        return Task.CompletedTask;
    }

    public Task<TicketGrant?> RedeemTicket(TicketRedemption redemption) => Task.FromResult(tickets.Redeem(redemption.Hash.Span));

    public Task<Reply<int>> Disconnect() => Answer(() =>
    {
        var open = connections.Count;
        connections.Tell(new UserNews(user) { Disconnected = true });
        return ValueTask.FromResult(open);
    });

    /// <summary>Most coordinators are there for sockets that listen: the path of a write is made with the first one.</summary>
    private WriteQueue Queue =>
        queue ??= new WriteQueue(new WritePipeline(user, silo, state, confirmed, cachedResponses, connections), silo, Forget);

    /// <summary>Work that has begun is finished, also if its caller has hung up: the answer belongs to the key.</summary>
    private static CancellationToken NoCancellation => CancellationToken.None;

    private async ValueTask<WriteAnswer> Run(WriteRequest request, Func<WriteRequest, ValueTask<QueuedWrite>> read)
    {
        if (!await See(request.Caller)) return WriteAnswer.Refuse(RequestRefusal.DeviceQuota);
        return cachedResponses.Find(request, silo.NowMs) is { } first ? await Replay(request, first) : await Queue.Run(await read(request));
    }

    private ValueTask<bool> See(Caller caller)
    {
        UsedMs = silo.NowMs;
        return caller.Device is { } device ? silo.Devices.See(user, device, Revision.Origin, NoCancellation) : ValueTask.FromResult(true);
    }

    private async Task<Reply<T>> Answer<T>(Func<ValueTask<T>> call)
    {
        try
        {
            return new Reply<T>(await call());
        }
        catch (StoreUnavailableException fault)
        {
            if (fault.OutcomeUnknown) Forget();
            return new Reply<T>(default, new Fault(fault.Reason, fault.OutcomeUnknown));
        }
        catch (Exception bug)
        {
            silo.Log.CoordinatorBroke(bug);
            Forget();
            return new Reply<T>(default, new Fault(Fault.Bug, OutcomeUnknown: true));
        }
    }
}
