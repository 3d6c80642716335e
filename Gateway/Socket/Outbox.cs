namespace Mirubato.Gateway.Socket;

/// <summary>What a queued frame does to the socket's place in the history.</summary>
internal enum FrameKind
{
    /// <summary>Nothing: PONG, ERROR, a winning copy.</summary>
    Control,

    /// <summary>It is a change, or the end of a window of them.</summary>
    Stream,

    /// <summary>The end of a catch-up that was asked for. Dropped before it was written, it is still owed.</summary>
    End,

    /// <summary>It acknowledges a revision that must have been sent, or be this socket's own.</summary>
    Ack,

    /// <summary>The place of an acknowledgement that is about to come: what follows in the order waits for it.</summary>
    Slot,

    Close,
}

/// <param name="Seq">As far as it carries the socket once written; 0: no further.</param>
/// <param name="FanOut">Is told once it is written; null: nobody counts.</param>
internal readonly record struct QueuedFrame(FrameKind Kind, ReadOnlyMemory<byte> Bytes, long Seq = 0, FanOut? FanOut = null);

/// <summary>
/// The bounded queue of one socket. Not synchronized: it is part of a <see cref="StreamPosition"/>. Idle, it holds no queue at all.
/// </summary>
internal sealed class Outbox
{
    private Queue<QueuedFrame>? queue;
    private long bytes;

    public bool IsEmpty => queue is null;

    public int Frames => queue?.Count ?? 0;

    public long Bytes => bytes;

    public bool IsHalfFull => queue is { Count: >= SocketLimits.OutboxFramesMax / 2 } || bytes >= SocketLimits.OutboxBytesMax / 2;

    public bool IsFull => queue is { Count: >= SocketLimits.OutboxFramesMax } || bytes >= SocketLimits.OutboxBytesMax;

    /// <summary>The revision whose acknowledgement is awaited; 0: none.</summary>
    public long SlotSeq { get; private set; }

    public bool HasSlot => SlotSeq > 0;

    public void Add(QueuedFrame frame)
    {
        queue ??= new Queue<QueuedFrame>(1);
        queue.Enqueue(frame);
        bytes += frame.Bytes.Length;
    }

    /// <summary>Keeps the order's place for the acknowledgement of an own revision.</summary>
    public void Reserve(long seq)
    {
        if (HasSlot) Rewrite(frame => frame.Kind is FrameKind.Slot ? null : frame);
        Add(new QueuedFrame(FrameKind.Slot, default, seq));
        SlotSeq = seq;
    }

    public void Fill(ReadOnlyMemory<byte> ack)
    {
        SlotSeq = 0;
        Rewrite(frame => frame.Kind is FrameKind.Slot ? new QueuedFrame(FrameKind.Ack, ack, frame.Seq) : frame);
    }

    /// <summary>False when nothing is to be written now.</summary>
    public bool TryTake(out QueuedFrame frame)
    {
        frame = default;
        if (queue is null || queue.Peek().Kind is FrameKind.Slot) return false;
        frame = queue.Dequeue();
        bytes -= frame.Bytes.Length;
        if (queue.Count == 0) queue = null;
        return true;
    }

    /// <summary>
    /// Drops all that can be read from the store again. Acknowledgements and the end of a catch-up were promised; the position orders them
    /// anew.
    /// </summary>
    public void DropStream(Action<QueuedFrame> promised)
    {
        SlotSeq = 0;
        Rewrite(frame =>
        {
            if (frame.Kind is FrameKind.Ack or FrameKind.End) promised(frame);
            return frame.Kind is FrameKind.Control or FrameKind.Close ? frame : null;
        });
    }

    public void Clear()
    {
        queue = null;
        bytes = 0;
        SlotSeq = 0;
    }

    private void Rewrite(Func<QueuedFrame, QueuedFrame?> with)
    {
        var (before, slot) = (queue, SlotSeq);
        Clear();
        SlotSeq = slot;
        foreach (var frame in before ?? [])
        {
            if (with(frame) is { } kept) Add(kept);
        }
    }
}
