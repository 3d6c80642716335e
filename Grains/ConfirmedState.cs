namespace Mirubato.Grains;

/// <summary>
/// What the store said of the user, as long as it may decide anything: head, sign-out and revoked devices. A commit confirms it when it
/// returns the same rights; else the store is asked. Age counts from the start of the confirming statement.
/// </summary>
internal sealed class ConfirmedState(UserId user, CoordinatorContext silo)
{
    private UserState? known;
    private ClockReading confirmedAt;
    private ClockReading countedAt;
    private Task<UserState>? asking;

    /// <summary>Rises with all that makes an answer of the store that was asked for before it out of date.</summary>
    public int Version { get; private set; }

    /// <summary>When the last confirming statement started, Unix ms.</summary>
    public long AskedMs => confirmedAt.Ms;

    /// <summary>The state if it was confirmed recently; else the store is asked.</summary>
    public ValueTask<UserState> Fresh() => known is not null && IsFresh(confirmedAt) ? new(known) : Ask();

    /// <summary>The same, and its number of devices is as fresh: a commit says nothing of that.</summary>
    public ValueTask<UserState> Counted() => known is not null && IsFresh(confirmedAt) && IsFresh(countedAt) ? new(known) : Ask();

    /// <summary>Callers that ask at the same time share one statement.</summary>
    public ValueTask<UserState> Ask()
    {
        if (asking is null or { IsCompleted: true }) asking = AskStore();
        return new(asking);
    }

    public void Invalidate()
    {
        Version++;
        known = null;
        asking = null;
    }

    /// <summary>A commit was held: epoch and head were those it was decided on, and are now these.</summary>
    public void Committed(SyncToken head, UInt128 digest, long nowMs, long rights, ClockReading startedAt)
    {
        if (known is not { HistoryState: var history } || history.Epoch != head.Epoch || history.Rights != rights)
        {
            Invalidate();
            return;
        }

        Version++;
        known = known with
        {
            HistoryState = history with { Last = head.Seq, Digest = digest, LastSyncMs = Math.Max(history.LastSyncMs, nowMs) },
        };
        confirmedAt = startedAt;
    }

    /// <summary>False when something newer is known than what was asked for at <paramref name="version"/>.</summary>
    public bool TryTake(UserState fresh, int version, ClockReading askedAt)
    {
        if (version != Version) return false;
        Version++;
        known = fresh;
        confirmedAt = countedAt = askedAt;
        return true;
    }

    private async Task<UserState> AskStore()
    {
        var (version, askedAt) = (Version, silo.Clock.Read());
        var fresh = await silo.Store.State(user, askedAt.Ms, CancellationToken.None);
        return TryTake(fresh, version, askedAt) ? fresh : known ?? fresh;
    }

    private bool IsFresh(ClockReading at) => silo.Clock.AgeMs(at) <= Limits.ConfirmedMs;
}
