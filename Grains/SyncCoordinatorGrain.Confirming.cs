using Mirubato.Grains.Domain;

namespace Mirubato.Grains;

/// <summary>What memory may decide, what confirms it, and what the silo's upkeep asks of a coordinator.</summary>
internal sealed partial class SyncCoordinatorGrain
{
    private bool isInDoubt;

    public UserId User => user;

    // The upkeep reads these from outside the turns. Each is one word, which may be a moment old.

    /// <summary>When it was last called, Unix ms.</summary>
    public long UsedMs { get; private set; }

    public int Heads => state.Count;

    public bool HasConnections => Connections > 0;

    /// <summary>Of the user, in any process, as of the last report.</summary>
    public int Connections { get; private set; }

    /// <summary>Other processes that are told.</summary>
    public int Observers { get; private set; }

    public int QueuedWrites => queue?.Count ?? 0;

    /// <summary>When the store last confirmed what is known, Unix ms; 0: never, or nothing in memory is trusted.</summary>
    public long ConfirmedMs => isInDoubt ? 0 : confirmed.AskedMs;

    public bool IsInDoubt => isInDoubt;

    /// <summary>Rises with all that makes an answer of the store that was asked for before it out of date.</summary>
    public int ConfirmedVersion => confirmed.Version;

    /// <summary>
    /// What memory may decide, outside the turns: the head of the history, if the store confirmed recently that this caller has access.
    /// Null: only a call can say.
    /// </summary>
    public HistoryState? FindConfirmed(Caller caller)
    {
        UsedMs = silo.NowMs;
        return confirmed.Recent is { } known && HasAccess(known, caller) ? known.HistoryState : null;
    }

    /// <summary>The receipt of a key, outside the turns and on the same terms.</summary>
    public Receipt? FindCached(ReceiptQuery query)
    {
        UsedMs = silo.NowMs;
        return cachedResponses.Find(query.Scope, query.Key, silo.NowMs) is { } first
            && confirmed.Recent is { } known && HasAccess(known, query.Caller)
            ? first
            : null;
    }

    /// <summary>Takes in what the store says of the user now. A difference is announced, and closes the connections that it must.</summary>
    public void Follow(UserState fresh, int version, ClockReading askedAt)
    {
        if (confirmed.TryTake(fresh, version, askedAt))
        {
            isInDoubt = false;
            Adopt(fresh);
        }

        connections.RemoveSilent();
        KeepAlive();
    }

    public void RemoveSilo(string address)
    {
        connections.RemoveSilo(address);
        KeepAlive();
    }

    public void DropHeads() => state.Drop();

    /// <summary>Ends the activation, whatever connections it has: they are reported to the next one.</summary>
    public void HandOver()
    {
        if (GrainContext is not null) DeactivateOnIdle();
    }

    /// <summary>A cached response needs no heads, but its caller must still have access.</summary>
    private async ValueTask<WriteAnswer> Replay(WriteRequest request, Receipt first)
    {
        var answer = await KeyedBody.Replay(request, first);
        if ((await Judge(request.Caller)).Refusal(request.Caller) is not RequestRefusal.None and var why) return WriteAnswer.Refuse(why);
        silo.Metrics.Replays.Add(1);
        return answer;
    }

    /// <summary>Memory may say that a caller has access. Anything else is decided on a snapshot of the store.</summary>
    private async ValueTask<HistoryState> Judge(Caller caller)
    {
        var known = await Confirm(confirmed.Fresh);
        return HasAccess(known, caller)
            ? known.HistoryState
            : await silo.Store.HistoryState(user, caller.Device, silo.NowMs, NoCancellation);
    }

    private static bool HasAccess(UserState known, Caller caller) =>
        caller.TokenIssuedAtMs >= known.HistoryState.NotBeforeMs && !(caller.Device is { } device && known.Revoked.Contains(device));

    private async ValueTask<UserState> Confirm(Func<ValueTask<UserState>> ask)
    {
        var known = await ask();
        Adopt(known);
        return known;
    }

    private void Adopt(UserState known)
    {
        if (connections.Head is { } head && head.Epoch != known.HistoryState.Epoch) StartOver();
        connections.Follow(known);
    }

    /// <summary>An empty write brings the heads up to the store's; only the queue's runner may change them.</summary>
    private async ValueTask<Ledger> LedgerAt(Caller caller, HistoryState history)
    {
        if (state.At(history) is { } ledger) return ledger;
        await Queue.Run(QueuedWrite.Empty(caller));
        return state.At(history) ?? throw new StoreUnavailableException("contention", outcomeUnknown: false);
    }

    /// <summary>The epoch has changed: answers, tickets and devices of the epoch before no longer count.</summary>
    private void StartOver()
    {
        state.Drop();
        cachedResponses.Clear();
        tickets.Clear();
        silo.Devices.Forget(user);
    }

    /// <summary>
    /// After an unknown outcome or a bug nothing in memory is trusted. The connections stay, and the upkeep asks the store at once.
    /// </summary>
    private void Forget()
    {
        state.Drop();
        cachedResponses.Clear();
        silo.Devices.Forget(user);
        confirmed.Invalidate();
        isInDoubt = true;
    }

    /// <summary>The activation stays while it has connections.</summary>
    private void KeepAlive()
    {
        var hadConnections = HasConnections;
        Connections = connections.Count;
        Observers = connections.Observers;
        if (hadConnections != HasConnections && GrainContext is not null)
        {
            DelayDeactivation(HasConnections ? TimeSpan.MaxValue : TimeSpan.Zero);
        }
    }
}
