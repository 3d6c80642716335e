using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Socket;

/// <summary>From where a socket is to be told, when not from where it is.</summary>
/// <param name="LastSeq">As its client asked; null: it did not ask, and is told of the last minute.</param>
internal sealed record Wish(long? LastSeq);

/// <summary>What one catch-up owes at its end.</summary>
internal sealed class Run
{
    /// <summary>Where it begins, as long as that is not known to be a place in this history; null: where the socket is.</summary>
    public long? From { get; set; }

    public bool IsAsked { get; init; }

    public bool IsReset { get; set; }

    public bool HasSent { get; set; }
}

/// <summary>Reading from the store: for who asks, who did not ask, who fell behind, and whose history began anew.</summary>
internal sealed partial class SocketSession
{
    private static readonly TimeSpan StoreRetry = TimeSpan.FromMilliseconds(500);

    private Wish? wish;
    private bool isReading;

    /// <summary>
    /// The run that made this socket live, and the one whose end was dropped before it was written: its client still waits for it.
    /// </summary>
    private Run? lastRun;
    private Run? owed;

    /// <summary>The horizon when reading from the start began: tombstones up to there concern nobody who began with nothing.</summary>
    private Revision floor;

    /// <summary>Called under the gate.</summary>
    private void StartCatchUp(Wish? from)
    {
        wish = from ?? wish;
        state = SessionState.CatchingUp;
        if (isReading) return;
        isReading = true;
        context.Metrics.CatchUps.Add(1);
        _ = Task.Run(CatchUp);
    }

    private async Task CatchUp()
    {
        try
        {
            var run = TakeOwed() ?? new Run();
            do
            {
                await Drained();
                run = await TakeWish() ?? run;
            }
            while (!await Window(run));
        }
        catch (OperationCanceledException)
        {
            // The socket is over.
        }
        catch (Exception bug)
        {
            Log.SocketFailed(context.Log, bug);
            Close(CloseCode.Restarting);
        }
    }

    private Run? TakeOwed()
    {
        lock (gate)
        {
            var taken = owed;
            owed = null;
            return taken;
        }
    }

    /// <summary>Where this goes on from; null: from where it is.</summary>
    private async ValueTask<Run?> TakeWish()
    {
        Wish? taken;
        lock (gate) (taken, wish) = (wish, null);
        if (taken is null) return null;
        return taken.LastSeq is { } asked ? new Run { IsAsked = true, From = asked } : new Run { From = await Volunteered() };
    }

    /// <summary>Reads one window and queues it. True when the socket is live again, or over.</summary>
    private async ValueTask<bool> Window(Run run)
    {
        var after = run.From ?? sent;
        var page = await Read(after);
        var history = page.HistoryState;
        if (history.Refusal(Caller) is not RequestRefusal.None)
        {
            Close(CloseCode.SignedOut);
            return true;
        }

        if (StartsOver(history, after))
        {
            run.IsReset = true;
            run.From = null;
            StartOver(history.Epoch);
            return false;
        }

        BeginAt(run, history, after);
        var end = page.More ? page.Rows[^1].Seq : Math.Max(after, history.Last.Number);
        await Queue(page.Rows, after, end, run);
        return !page.More && sockets.Join(this, run, new SyncToken(history.Epoch, new Revision(end)));
    }

    /// <summary>Another life of the history; ahead of it; of the one before; or deletions may be missing.</summary>
    private bool StartsOver(HistoryState history, long after) =>
        (epoch is { } known && known != history.Epoch)
        || (after > 0 && (after < history.First.Number - 1 || history.Resets(new SyncToken(history.Epoch, new Revision(after), floor))));

    private void BeginAt(Run run, HistoryState history, long after)
    {
        if (after == 0) floor = history.Horizon;
        lock (gate)
        {
            epoch = history.Epoch;
            if (run.From is { } from) sent = handed = from;
        }

        run.From = null;
    }

    private void StartOver(Epoch into)
    {
        lock (gate)
        {
            epoch = into;
            sent = handed = reached = 0;
            if (IsOpen)
            {
                outbox.Add(new QueuedFrame(FrameKind.Control, SocketFrames.Synced(context.Now, SocketFrames.StartOver, 0, reset: true)));
            }
            Pump();
        }
    }

    private async ValueTask Queue(List<StoredRow> rows, long after, long end, Run run)
    {
        lock (gate) reached = Math.Max(reached, end);
        // The last frame alone moves the cursor, so it is held back until it is known to be the last.
        ReadOnlyMemory<byte> last = default;
        foreach (var frame in WindowFrames.List(rows, after, end, context.Now))
        {
            if (!last.IsEmpty) Put(last);
            last = frame;
            if (outbox.IsHalfFull) await Drained();
        }

        if (last.IsEmpty && end > after && !run.IsAsked) last = SocketFrames.Synced(context.Now, SocketFrames.Complete, end, reset: false);
        run.HasSent |= rows.Count > 0;
        lock (gate)
        {
            foreach (var row in rows) told.Add(row.Entity);
            if (state is not SessionState.CatchingUp) return;
            if (!last.IsEmpty) outbox.Add(new QueuedFrame(FrameKind.Stream, last, end));
            // With nothing to send for it, the end is still where the client is once it is told so.
            sent = end;
            Release();
            Pump();
        }
    }

    /// <summary>
    /// Where the history stood a minute ago. Where that is not known and something happened since, the start: rather twice than not.
    /// </summary>
    private async ValueTask<long> Volunteered()
    {
        var history = await FromStore(() => context.Coordinators.For(who.User).HistoryState(Caller, over.Token));
        var last = history.Last.Number;
        if (history.LastSyncMs < context.NowMs - SocketLimits.VolunteeredMs) return last;
        return who.MinuteOldHead is { } known && known.Epoch == history.Epoch ? Math.Min(known.Seq.Number, last) : 0;
    }

    private ValueTask<ReadPage> Read(long after) =>
        FromStore(() => context.Reader.Read(Caller, new ReadQuery { After = new Revision(after) }, over.Token));

    /// <summary>While the store is away the socket stays, and goes on once it is back.</summary>
    private async ValueTask<T> FromStore<T>(Func<ValueTask<T>> read)
    {
        while (true)
        {
            try
            {
                return await read();
            }
            catch (StoreUnavailableException away)
            {
                context.Metrics.StoreFailed(away.Reason);
                await Task.Delay(StoreRetry, context.Time, over.Token);
            }
        }
    }
}
