using System.Net.WebSockets;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Socket;

internal enum SessionState
{
    /// <summary>Welcomed. Nothing but PONG goes out until the client asks, or a second has passed.</summary>
    Greeted,

    /// <summary>Outside the live set: it reads <c>seq &gt; sent</c> from the store, page by page, as fast as its client takes it.</summary>
    CatchingUp,

    /// <summary>Gets what is announced.</summary>
    Live,

    Closing,
    Closed,
}

/// <summary>
/// One socket, as a state machine. <c>sent</c> is as far as it has been queued for the client; every revision a frame names is at most
/// that. A queue that overflows drops what is in it, and the socket reads on from the store where the wire stopped: catch-up, a gap and a
/// slow reader are one path. The user's sockets call in holding their own gate; this one's gate is always taken last.
/// </summary>
internal sealed partial class SocketSession(SocketContext context, WebSocket socket, UserSockets sockets, SocketIdentity who) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Outbox outbox = new();
    private readonly CancellationTokenSource over = new();
    private readonly RecentlySent told = new();
    private SessionState state;
    private TokenFacts token = who.Token;
    private DeviceId? device = who.Device;
    private List<QueuedFrame>? waiting;
    private Epoch? epoch;
    private long sent;

    /// <summary>Up to where rows were ever queued for it, the window included that is under way.</summary>
    private long reached;

    /// <summary>As far as the wire has taken it: what a dropped queue goes back to.</summary>
    private long handed;

    /// <summary>A write is under way, so an own revision's acknowledgement is sure to come.</summary>
    private bool mutating;
    private CloseCode closeCode;
    private long closingMs;

    public string ConnectionId => who.ConnectionId;

    public UserId User => who.User;

    public DeviceId? Device => device;

    public long OpenedMs { get; } = context.NowMs;

    public long LastFrameMs { get; private set; } = context.NowMs;

    public bool IsLive => state is SessionState.Live;

    public bool IsOpen => state is not (SessionState.Closing or SessionState.Closed);

    private Caller Caller => new(who.User, device, token.IssuedAtMs);

    public void Greet(long? head) => Put(SocketFrames.StartupBanner(context.Now, who.ConnectionId, head));

    /// <summary>A second has passed without a request: what came in the last minute is told all the same.</summary>
    public void Unasked()
    {
        lock (gate)
        {
            if (state is SessionState.Greeted) StartCatchUp(new Wish(LastSeq: null));
        }
    }

    private void Asked(long lastSeq)
    {
        lock (gate)
        {
            if (IsOpen) StartCatchUp(new Wish(lastSeq));
        }
    }

    /// <summary>A commit is announced; whoever is not live reads it later, and its own changes the sender has.</summary>
    public void Offer(in RowFrame frame)
    {
        lock (gate)
        {
            if (state is not SessionState.Live || frame.Seq <= sent) return;
            if (frame.By == who.ConnectionId) PlaceOwn(frame.Seq);
            else if (outbox.IsFull) FallBehind();
            else
            {
                sent = reached = frame.Seq;
                told.Add(frame.Entity);
                outbox.Add(new QueuedFrame(FrameKind.Stream, frame.Bytes, frame.Seq));
            }

            Release();
            Pump();
        }
    }

    /// <summary>Whether its own change must come back to it, for what it was told meanwhile may have undone it.</summary>
    public bool MustHear(StoredRow own)
    {
        lock (gate) return RecentlySent.Matters(own) && told.Holds(own.Entity);
    }

    /// <summary>Too much to announce: it is read from the store instead.</summary>
    public void ReadOn()
    {
        lock (gate)
        {
            if (state is SessionState.Live) FallBehind();
            Pump();
        }
    }

    /// <summary>Called under the gate of the user's sockets, where <paramref name="upTo"/> is all it has announced.</summary>
    public bool GoLive(Run run, long upTo)
    {
        lock (gate)
        {
            if (state is not SessionState.CatchingUp || wish is not null) return false;
            if (run.IsAsked)
            {
                outbox.Add(
                    new QueuedFrame(
                        FrameKind.End,
                        SocketFrames.Synced(context.Now, run.HasSent ? SocketFrames.Complete : SocketFrames.Nothing, upTo,
                        run.IsReset), upTo));
            }
            state = SessionState.Live;
            isReading = false;
            lastRun = run;
            Release();
            Pump();
            return true;
        }
    }

    public void Close(CloseCode code)
    {
        lock (gate)
        {
            if (!IsOpen) return;
            closeCode = code;
            BeginClosing();
            context.Metrics.SocketClosed((int)code);
        }
    }

    /// <summary>Once a second, by the one timer all sockets share.</summary>
    public void Tick(long nowMs)
    {
        lock (gate)
        {
            if (state is SessionState.Closing && nowMs - closingMs >= SocketLimits.ClosingMs) socket.Abort();
            if (!IsOpen) return;
            told.Turn(nowMs);
            if (nowMs >= token.ExpiresMs) Close(CloseCode.TokenExpired);
            else if (nowMs - LastFrameMs >= SocketLimits.IdleMs) Close(CloseCode.Idle);
            else if (isSending && nowMs - progressMs >= SocketLimits.StalledMs) Close(CloseCode.TooSlow);
        }
    }

    /// <summary>Signed out: tokens issued before then no longer count.</summary>
    public void SignedOut(long notBeforeMs)
    {
        if (token.IssuedAtMs < notBeforeMs) Close(CloseCode.SignedOut);
    }

    /// <summary>
    /// The order keeps a place for the acknowledgement of an own revision, so that nothing behind it overtakes it. One that came before its
    /// revision was told waits already; every other that waits is of an earlier write, and may not take this one's place.
    /// </summary>
    private void PlaceOwn(long seq)
    {
        var isHere = waiting?.Exists(frame => frame.Kind is FrameKind.Ack && frame.Seq >= seq) is true;
        if (!isHere && !mutating)
        {
            FallBehind();
            return;
        }

        sent = seq;
        if (!isHere) outbox.Reserve(seq);
    }

    private void FallBehind()
    {
        context.Metrics.Overflows.Add(1);
        outbox.DropStream(promised =>
        {
            if (promised.Kind is FrameKind.End) owed = lastRun;
            else (waiting ??= []).Add(promised);
        });
        sent = handed;
        StartCatchUp(null);
    }

    /// <summary>Lets out what has waited for its revision to be sent.</summary>
    private void Release()
    {
        if (waiting is null || state is SessionState.Greeted) return;
        var due = waiting.FindAll(ack => ack.Seq <= sent);
        if (due.Count == 0) return;
        waiting.RemoveAll(ack => ack.Seq <= sent);
        if (waiting.Count == 0) waiting = null;
        foreach (var ack in due) outbox.Add(ack);
    }

    /// <summary>A frame without a place in the order. It goes out at once, but not before the welcome's pause is over.</summary>
    private void Tell(ReadOnlyMemory<byte> frame) => Await(new QueuedFrame(FrameKind.Control, frame));

    private void Await(QueuedFrame frame)
    {
        lock (gate)
        {
            if (!IsOpen) return;
            (waiting ??= []).Add(frame);
            Release();
            if (outbox.IsFull && state is SessionState.Live) FallBehind();
            if (waiting?.Count > SocketLimits.OutboxFramesMax || outbox.Frames > 2 * SocketLimits.OutboxFramesMax) Close(CloseCode.TooSlow);
            Pump();
        }
    }

    private void Put(ReadOnlyMemory<byte> frame)
    {
        lock (gate)
        {
            if (!IsOpen) return;
            outbox.Add(new QueuedFrame(FrameKind.Control, frame));
            Pump();
        }
    }

    private void BeginClosing()
    {
        state = SessionState.Closing;
        closingMs = context.NowMs;
        waiting = null;
        outbox.Clear();
        outbox.Add(new QueuedFrame(FrameKind.Close, default));
        Pump();
        // Not here: whoever waits for the token would run on under two gates.
        ThreadPool.UnsafeQueueUserWorkItem(static ended => ended.Cancel(), over, preferLocal: false);
    }

    /// <summary>The token source is only cancelled: whoever reads from the store may still look at it.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            state = SessionState.Closed;
            waiting = null;
            outbox.Clear();
        }

        over.Cancel();
    }
}
