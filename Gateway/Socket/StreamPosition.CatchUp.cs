namespace Mirubato.Gateway.Socket;

/// <summary>The events of a catch-up: it is requested, reads window after window, may start over, and ends with the socket live.</summary>
internal sealed partial class StreamPosition
{
    private CatchUpRequest? request;
    private bool isReading;

    /// <summary>The run that made this socket live.</summary>
    private CatchUpRun? lastRun;

    /// <summary>A run whose end was dropped before the sender took it: its client still waits for the end.</summary>
    private CatchUpRun? owed;

    /// <summary>The horizon when reading from the start began: a client that began with nothing needs no tombstones up to there.</summary>
    private Revision floor;

    /// <summary>
    /// The client sent SYNC_REQUEST. Copies that waited go out now: after a window they might undo something newer in it.
    /// </summary>
    public StreamEffects Request(long lastSeq)
    {
        if (!IsOpen) return StreamEffects.None;
        request = new CatchUpRequest(lastSeq);
        StartReader();
        Release();
        return Effects();
    }

    /// <summary>The client sent no SYNC_REQUEST within a second. Copies that waited go out now.</summary>
    public StreamEffects ReplayUnrequested()
    {
        if (State is not SessionState.Greeted) return StreamEffects.None;
        request = new CatchUpRequest(LastSeq: null);
        StartReader();
        Release();
        return Effects();
    }

    /// <summary>A reader begins: with the run whose end is owed, or with a new one.</summary>
    public CatchUpRun TakeRun()
    {
        var taken = owed ?? new CatchUpRun();
        owed = null;
        return taken;
    }

    public CatchUpRequest? TakeRequest()
    {
        var taken = request;
        request = null;
        return taken;
    }

    /// <summary>The revision after which the next window is read.</summary>
    public long WindowAfter(CatchUpRun run) => run.From ?? sent;

    /// <summary>
    /// Whether the history does not continue <paramref name="after"/>: it is of another epoch, the revision is ahead of the head or before
    /// this epoch, or deletions may be missing.
    /// </summary>
    public bool MustStartOver(HistoryState history, long after) =>
        (epoch is { } known && known != history.Epoch)
        || (after > 0 && (after < history.First.Number - 1 || history.Resets(new SyncToken(history.Epoch, new Revision(after), floor))));

    /// <param name="reset">The frame that tells the client to replace what it has.</param>
    public StreamEffects StartOver(CatchUpRun run, Epoch into, ReadOnlyMemory<byte> reset)
    {
        run.IsReset = true;
        run.From = null;
        epoch = into;
        sent = handed = reached = 0;
        recentlySent.StartOver();
        return SendNow(reset);
    }

    public void BeginWindow(CatchUpRun run, HistoryState history, long after, long end)
    {
        if (after == 0) floor = history.Horizon;
        epoch = history.Epoch;
        if (run.From is { } from) sent = handed = from;
        run.From = null;
        reached = Math.Max(reached, end);
    }

    /// <summary>All of a window but its last frame was queued before.</summary>
    /// <param name="last">It alone moves the client's cursor. Empty: there is nothing to send, and the socket is at the end.</param>
    public StreamEffects EndWindow(IEnumerable<StoredRow> rows, ReadOnlyMemory<byte> last, long end)
    {
        foreach (var row in rows) recentlySent.Add(row.Entity, row.Seq);
        if (State is not SessionState.CatchingUp) return StreamEffects.None;
        if (!last.IsEmpty) outbox.Add(new QueuedFrame(FrameKind.Stream, last, end));
        sent = end;
        Release();
        return Effects();
    }

    /// <summary>False when the socket closes, or is to be caught up from elsewhere.</summary>
    public bool CanGoLive => State is SessionState.CatchingUp && request is null;

    /// <summary>The socket was sent all that has been announced.</summary>
    /// <param name="end">The end of the catch-up, for a client that asked for it.</param>
    public StreamEffects GoLive(CatchUpRun run, long upTo, ReadOnlyMemory<byte> end)
    {
        if (!CanGoLive) return StreamEffects.None;
        if (run.IsAsked) outbox.Add(new QueuedFrame(FrameKind.End, end, upTo));
        State = SessionState.Live;
        isReading = false;
        lastRun = run;
        Release();
        return Effects();
    }

    private void StartReader()
    {
        State = SessionState.CatchingUp;
        if (isReading) return;
        isReading = true;
        effects |= StreamEffects.StartReader;
    }
}
