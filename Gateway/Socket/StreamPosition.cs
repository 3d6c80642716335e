using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// Where one socket is in its user's history, and the life of its connection: a state machine. Each method is an event. It changes the
/// state, queues frames, and returns what the session must do besides. There is no lock, no I/O and no clock in it: the session calls it
/// under its lock and passes times in.
/// <para>
/// Every revision that a frame names is at most <c>sent</c>. A queue that overflows drops what the store still has, and the socket reads on
/// from the store where the sender stopped: catch-up, a gap and a slow reader are one path.
/// </para>
/// </summary>
internal sealed partial class StreamPosition(string connectionId)
{
    private readonly Outbox outbox = new();
    private readonly RecentlySent recentlySent = new();

    /// <summary>Acknowledgements whose revision has not been sent, and while greeted all that is not PONG.</summary>
    private List<QueuedFrame>? waiting;
    private Epoch? epoch;

    /// <summary>The last revision that was queued for the client.</summary>
    private long sent;

    /// <summary>The highest revision whose row was ever queued, the window included that is being queued.</summary>
    private long reached;

    /// <summary>The last revision that the sender has taken: where the socket reads on after its queue was dropped.</summary>
    private long handed;

    /// <summary>A write is under way, so the acknowledgement of an own revision will come.</summary>
    private bool mutating;

    /// <summary>
    /// The name under which this socket's changes are announced. It is another one after each failed write: that write may have been
    /// stored all the same, and what is announced of it late is then sent like any other's change.
    /// </summary>
    private string writer = connectionId;
    private readonly string firstWriter = connectionId;
    private int failedWrites;
    private StreamEffects effects;

    public SessionState State { get; private set; }

    public bool IsLive => State is SessionState.Live;

    public bool IsOpen => State is not (SessionState.Closing or SessionState.Closed);

    public bool IsSending { get; private set; }

    /// <summary>Whether everything that was queued has been written.</summary>
    public bool IsDrained => !IsSending && outbox.IsEmpty;

    public bool IsHalfFull => outbox.IsHalfFull;

    public int OutboxFrames => outbox.Frames;

    public long OutboxBytes => outbox.Bytes;

    /// <summary>The last revision that the sender has taken.</summary>
    public long Handed => handed;

    /// <summary>Why the server closed; default: it did not, or the client closed first.</summary>
    public CloseCode CloseCode { get; private set; }

    /// <summary>
    /// A commit was announced. A socket that is not live reads it from the store later. A socket that wrote it gets its acknowledgement
    /// only.
    /// </summary>
    /// <param name="fanOut">Goes along with the frame where that is queued.</param>
    public StreamEffects Announce(in RowFrame frame, FanOut? fanOut = null)
    {
        if (!IsLive || frame.Seq <= sent) return StreamEffects.None;
        if (frame.By == writer) PlaceOwn(frame.Seq);
        else if (outbox.IsFull) LeaveLiveSet();
        else
        {
            sent = reached = frame.Seq;
            recentlySent.Add(frame.Entity, frame.Seq);
            outbox.Add(new QueuedFrame(FrameKind.Stream, frame.Bytes, frame.Seq, fanOut));
            fanOut?.Queued();
        }

        Release();
        return Effects();
    }

    /// <summary>The history moved on by more than was announced: the socket reads it from the store.</summary>
    public StreamEffects MissAnnouncement()
    {
        if (IsLive) LeaveLiveSet();
        return Effects();
    }

    /// <summary>Whether its own change must come back to it, because a frame it was sent meanwhile may have undone the change.</summary>
    /// <param name="by">The name under which the change was announced.</param>
    public bool MustReceive(StoredRow row, string by) => by == writer && RecentlySent.Matters(row) && recentlySent.Holds(row.Entity);

    public void Forget(long nowMs) => recentlySent.Turn(nowMs);

    /// <summary>
    /// Whether a frame with this revision of the entity, or with a later one, was queued since the write that is under way began. Its
    /// client then needs no winning copy. An acknowledgement is no such frame.
    /// </summary>
    public bool HasSentSinceWrite(EntityKey entity, long seq) => recentlySent.HoldsSinceWrite(entity, seq);

    /// <summary>
    /// A write begins. A socket that is not live gets its own change back like any other's: what it reads from the store meanwhile may be
    /// older than the change.
    /// </summary>
    public WriteBasis BeginWrite()
    {
        mutating = true;
        recentlySent.BeginWrite();
        var cursor = epoch is { } known ? new SyncToken(known, new Revision(sent)) : SyncToken.Start;
        return new WriteBasis(cursor, sent, IsLive ? writer : null);
    }

    /// <summary>
    /// A write was stored. Its acknowledgement takes the place that was kept for it. Without one, it names the highest of its own
    /// revision, where the socket is and what an earlier acknowledgement names that still waits. It waits until that has been sent.
    /// </summary>
    /// <param name="ack">The frame that names a revision.</param>
    public StreamEffects Acknowledge(long seq, Func<long, ReadOnlyMemory<byte>> ack)
    {
        mutating = false;
        recentlySent.EndWrite();
        if (outbox.HasSlot)
        {
            outbox.Fill(ack(outbox.SlotSeq));
            return Effects();
        }

        var due = Math.Max(seq, IsLive ? sent : 0);
        foreach (var frame in waiting ?? [])
        {
            if (frame.Kind is FrameKind.Ack) due = Math.Max(due, frame.Seq);
        }

        return Await(new QueuedFrame(FrameKind.Ack, ack(due), due));
    }

    /// <summary>A write failed. The place kept for its acknowledgement is given up, and its rows are read from the store.</summary>
    public StreamEffects FailWrite(ReadOnlyMemory<byte> error)
    {
        mutating = false;
        recentlySent.EndWrite();
        writer = $"{firstWriter}/{++failedWrites}";
        if (outbox.HasSlot) LeaveLiveSet();
        return SendUnordered(error);
    }

    /// <summary>False if a newer revision than <paramref name="asOf"/> may be queued: a copy that was read then might undo it.</summary>
    public bool CanSendCopies(long asOf) => reached <= asOf;

    /// <summary>Winning copies, without a place in the order.</summary>
    public StreamEffects SendCopies(IEnumerable<StoredRow> copies, IEnumerable<ReadOnlyMemory<byte>> frames)
    {
        foreach (var copy in copies) recentlySent.Add(copy.Entity, copy.Seq);
        var all = StreamEffects.None;
        foreach (var frame in frames) all |= SendUnordered(frame);
        return all;
    }

    /// <summary>A frame without a place in the order. It goes out at once, but not while <c>Greeted</c>.</summary>
    public StreamEffects SendUnordered(ReadOnlyMemory<byte> frame) => Await(new QueuedFrame(FrameKind.Control, frame));

    /// <summary>A frame that may go out in any state: WELCOME, PONG, AUTHENTICATED, and the frames of a window but its last.</summary>
    public StreamEffects SendNow(ReadOnlyMemory<byte> frame)
    {
        if (!IsOpen) return StreamEffects.None;
        outbox.Add(new QueuedFrame(FrameKind.Control, frame));
        return Effects();
    }

    /// <summary>The sender takes the next frame. False when there is none to write now; the sender ends.</summary>
    public bool TryTake(out QueuedFrame frame)
    {
        IsSending = outbox.TryTake(out frame);
        if (IsSending) handed = Math.Max(handed, frame.Seq);
        return IsSending;
    }

    /// <param name="code">Default: the client closed, and is answered with its own code.</param>
    public StreamEffects Close(CloseCode code)
    {
        if (!IsOpen) return StreamEffects.None;
        State = SessionState.Closing;
        CloseCode = code;
        waiting = null;
        outbox.Clear();
        outbox.Add(new QueuedFrame(FrameKind.Close, default));
        effects |= StreamEffects.Close;
        return Effects();
    }

    public void End()
    {
        State = SessionState.Closed;
        waiting = null;
        outbox.Clear();
    }

    /// <summary>
    /// The order keeps a place for the acknowledgement of an own revision, so that no later frame overtakes it. An acknowledgement that
    /// came before its revision was announced is among those that wait. The others that wait are of earlier writes and do not take this
    /// place.
    /// </summary>
    private void PlaceOwn(long seq)
    {
        var isHere = waiting?.Exists(frame => frame.Kind is FrameKind.Ack && frame.Seq >= seq) is true;
        if (!isHere && !mutating)
        {
            LeaveLiveSet();
            return;
        }

        sent = seq;
        if (!isHere) outbox.Reserve(seq);
    }

    /// <summary>
    /// Drops what the store has, and reads on from there. Acknowledgements wait again, and the end of a catch-up that was asked for is
    /// owed, if the sender has not taken it.
    /// </summary>
    private void LeaveLiveSet()
    {
        effects |= StreamEffects.CountOverflow;
        outbox.DropStream(promised =>
        {
            if (promised.Kind is FrameKind.End) owed = lastRun;
            else (waiting ??= []).Add(promised);
        });
        sent = handed;
        StartReader();
    }

    /// <summary>Queues each frame whose revision has been sent by now.</summary>
    private void Release()
    {
        if (waiting is null || State is SessionState.Greeted) return;
        var due = waiting.FindAll(frame => frame.Seq <= sent);
        if (due.Count == 0) return;
        waiting.RemoveAll(frame => frame.Seq <= sent);
        if (waiting.Count == 0) waiting = null;
        foreach (var frame in due) outbox.Add(frame);
    }

    private StreamEffects Await(QueuedFrame frame)
    {
        if (!IsOpen) return StreamEffects.None;
        (waiting ??= []).Add(frame);
        Release();
        if (outbox.IsFull && IsLive) LeaveLiveSet();
        var isTooMuch = waiting?.Count > SocketLimits.OutboxFramesMax || outbox.Frames > 2 * SocketLimits.OutboxFramesMax;
        return isTooMuch ? Close(CloseCode.TooSlow) : Effects();
    }

    private StreamEffects Effects()
    {
        if (!IsSending && !outbox.IsEmpty)
        {
            IsSending = true;
            effects |= StreamEffects.StartSender;
        }

        var all = effects;
        effects = StreamEffects.None;
        return all;
    }
}

/// <summary>Where a socket is when it writes.</summary>
/// <param name="Writer">The name under which its change is announced; null when the socket is to be sent its own change.</param>
internal readonly record struct WriteBasis(SyncToken Cursor, long Sent, string? Writer);
