namespace Mirubato.Grains;

/// <summary>
/// What the store said of the user, as long as it may decide anything: head, sign-out and revoked devices. A commit confirms it when it
/// returns the same rights; else the store is asked. Age counts from the start of the confirming statement.
/// </summary>
internal sealed class ConfirmedState(UserId user, CoordinatorContext silo)
{
    private volatile Confirmation? confirmed;
    private Task<UserState>? asking;

    /// <summary>Rises with all that makes an answer of the store that was asked for before it out of date.</summary>
    public int Version { get; private set; }

    /// <summary>When the last confirming statement started, Unix ms.</summary>
    public long AskedMs { get; private set; }

    /// <summary>The state if it was confirmed recently, else null. It may be read outside the coordinator's turns.</summary>
    public UserState? Recent => confirmed is { } last && IsFresh(last.At) ? last.State : null;

    /// <summary>The state if it was confirmed recently; else the store is asked.</summary>
    public ValueTask<UserState> Fresh() => Recent is { } state ? new(state) : Ask();

    /// <summary>The state if its number of devices was confirmed recently as well: a commit says nothing of that.</summary>
    public UserState? RecentlyCounted =>
        confirmed is { } last && IsFresh(last.At) && IsFresh(last.CountedAt) ? last.State : null;

    /// <summary>The same; else the store is asked.</summary>
    public ValueTask<UserState> Counted() => RecentlyCounted is { } state ? new(state) : Ask();

    /// <summary>Callers that ask at the same time share one statement.</summary>
    public ValueTask<UserState> Ask()
    {
        if (asking is null or { IsCompleted: true }) asking = AskStore();
        return new(asking);
    }

    public void Invalidate()
    {
        Version++;
        confirmed = null;
        asking = null;
    }

    /// <summary>A commit was held: epoch and head were those it was decided on, and are now these.</summary>
    public void Committed(SyncToken head, UInt128 digest, long nowMs, long rights, ClockReading startedAt)
    {
        if (confirmed is not { State: var state } last || state.HistoryState.Epoch != head.Epoch || state.HistoryState.Rights != rights)
        {
            Invalidate();
            return;
        }

        var history = state.HistoryState;
        history = history with { Last = head.Seq, Digest = digest, LastSyncMs = Math.Max(history.LastSyncMs, nowMs) };
        Confirm(last with { State = state with { HistoryState = history }, At = startedAt });
    }

    /// <summary>False when something newer is known than what was asked for at <paramref name="version"/>.</summary>
    public bool TryTake(UserState fresh, int version, ClockReading askedAt)
    {
        if (version != Version) return false;
        Confirm(new Confirmation(fresh, askedAt, askedAt));
        return true;
    }

    private void Confirm(Confirmation by)
    {
        Version++;
        confirmed = by;
        AskedMs = by.At.Ms;
    }

    private async Task<UserState> AskStore()
    {
        var (version, askedAt) = (Version, silo.Clock.Read());
        var fresh = await silo.Store.State(user, askedAt.Ms, CancellationToken.None);
        return TryTake(fresh, version, askedAt) ? fresh : confirmed?.State ?? fresh;
    }

    private bool IsFresh(ClockReading at) => silo.Clock.AgeMs(at) <= Limits.ConfirmedMs;

    /// <param name="At">When the statement that confirmed it started.</param>
    /// <param name="CountedAt">The same of the statement that counted the devices.</param>
    private sealed record Confirmation(UserState State, ClockReading At, ClockReading CountedAt);
}
