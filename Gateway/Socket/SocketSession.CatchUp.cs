using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Socket;

/// <summary>Catch-up from the store: after a SYNC_REQUEST, without one, after an overflow, and in a new epoch.</summary>
internal sealed partial class SocketSession
{
    private static readonly TimeSpan StoreRetry = TimeSpan.FromMilliseconds(500);

    private void Request(long lastSeq)
    {
        lock (gate) Apply(position.Request(lastSeq));
    }

    private void StartReader()
    {
        context.Metrics.CatchUps.Add(1);
        _ = Task.Run(CatchUp);
    }

    private async Task CatchUp()
    {
        using var timed = context.Metrics.Time("catch_up");
        try
        {
            var run = TakeRun();
            do
            {
                await Drained();
                run = await TakeRequest() ?? run;
            }
            while (!await ReadWindow(run));
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

    private CatchUpRun TakeRun()
    {
        lock (gate) return position.TakeRun();
    }

    /// <summary>The run if it begins at another revision; null: it continues at the socket's own.</summary>
    private async ValueTask<CatchUpRun?> TakeRequest()
    {
        CatchUpRequest? taken;
        lock (gate) taken = position.TakeRequest();
        if (taken is null) return null;
        return taken.LastSeq is { } asked
            ? new CatchUpRun { IsAsked = true, From = asked }
            : new CatchUpRun { From = await UnrequestedReplayStart() };
    }

    /// <summary>Reads one window and queues it. True when the socket is live again, or over.</summary>
    private async ValueTask<bool> ReadWindow(CatchUpRun run)
    {
        var after = WindowAfter(run);
        var page = await Read(after);
        var history = page.HistoryState;
        if (history.Refusal(Caller) is not RequestRefusal.None)
        {
            Close(CloseCode.SignedOut);
            return true;
        }

        var end = page.More ? page.Rows[^1].Seq : Math.Max(after, history.Last.Number);
        if (!TryBeginWindow(run, history, after, end)) return false;
        await Queue(page.Rows, after, end, run);
        return !page.More && sockets.Join(this, run, new SyncToken(history.Epoch, new Revision(end)));
    }

    private long WindowAfter(CatchUpRun run)
    {
        lock (gate) return position.WindowAfter(run);
    }

    /// <summary>False when the history must be read from its start.</summary>
    private bool TryBeginWindow(CatchUpRun run, HistoryState history, long after, long end)
    {
        lock (gate)
        {
            if (position.MustStartOver(history, after))
            {
                var reset = SocketFrames.Synced(context.Now, SocketFrames.StartOver, 0, reset: true);
                Apply(position.StartOver(run, history.Epoch, reset));
                return false;
            }

            position.BeginWindow(run, history, after, end);
            return true;
        }
    }

    private async ValueTask Queue(List<StoredRow> rows, long after, long end, CatchUpRun run)
    {
        // The last frame alone moves the cursor, so it is held back until it is known to be the last.
        ReadOnlyMemory<byte> last = default;
        foreach (var frame in WindowFrames.List(rows, after, end, context.Now))
        {
            if (!last.IsEmpty) SendNow(last);
            last = frame;
            if (IsHalfFull) await Drained();
        }

        if (last.IsEmpty && end > after && !run.IsAsked) last = SocketFrames.Synced(context.Now, SocketFrames.Complete, end, reset: false);
        run.HasSent |= rows.Count > 0;
        lock (gate) Apply(position.EndWindow(rows, last, end));
    }

    private ReadOnlyMemory<byte> BuildEnd(CatchUpRun run, long upTo) =>
        SocketFrames.Synced(context.Now, run.HasSent ? SocketFrames.Complete : SocketFrames.Nothing, upTo, run.IsReset);

    /// <summary>
    /// Where the history stood a minute ago. If that is not known and something happened since, the replay begins at the start: to send a
    /// row twice is safe, to leave one out is not.
    /// </summary>
    private async ValueTask<long> UnrequestedReplayStart()
    {
        var history = await FromStore(() => context.Coordinators.For(who.User).HistoryState(Caller, over.Token));
        var last = history.Last.Number;
        if (history.LastSyncMs < context.NowMs - SocketLimits.UnrequestedReplayMs) return last;
        return who.MinuteOldHead is { } known && known.Epoch == history.Epoch ? Math.Min(known.Seq.Number, last) : 0;
    }

    private ValueTask<ReadPage> Read(long after) =>
        FromStore(() => context.Reader.Read(Caller, new ReadQuery { After = new Revision(after) }, over.Token));

    /// <summary>While the store is unavailable the socket stays open, and the catch-up continues once the store is back.</summary>
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
