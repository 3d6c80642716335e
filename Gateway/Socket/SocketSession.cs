using System.Net.WebSockets;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// One socket: the lock, the I/O and the timers around a <see cref="StreamPosition"/>, which decides. The user's sockets call in holding
/// their own gate; this one's gate is always taken last.
/// </summary>
internal sealed partial class SocketSession(SocketContext context, WebSocket socket, UserSockets sockets, SocketIdentity who) : IDisposable
{
    private readonly Lock gate = new();
    private readonly StreamPosition position = new(who.ConnectionId);
    private readonly CancellationTokenSource over = new();
    private TokenFacts token = who.Token;
    private DeviceId? device = who.Device;
    private long closingMs;

    public string ConnectionId => who.ConnectionId;

    public UserId User => who.User;

    public DeviceId? Device => device;

    public long OpenedMs { get; } = context.NowMs;

    public long LastFrameMs { get; private set; } = context.NowMs;

    public bool IsLive => position.IsLive;

    public bool IsOpen => position.IsOpen;

    public int OutboxFrames => position.OutboxFrames;

    public long OutboxBytes => position.OutboxBytes;

    /// <summary>The last revision that was written, or is being.</summary>
    public long HandedSeq => position.Handed;

    private Caller Caller => new(who.User, device, token.IssuedAtMs);

    public void Greet() =>
        SendNow(SocketFrames.StartupBanner(context.Now, who.ConnectionId, sockets.Announced?.Seq.Number));

    /// <summary>If the client sends no SYNC_REQUEST within a second, the last minute is replayed.</summary>
    public void ReplayUnrequested()
    {
        lock (gate) Apply(position.ReplayUnrequested());
    }

    /// <summary>A commit is announced.</summary>
    /// <param name="fanOut">Is told when the frame was written; null unless it is the last one of the announcement.</param>
    public void Offer(in RowFrame frame, FanOut? fanOut)
    {
        lock (gate) Apply(position.Announce(frame, fanOut));
    }

    /// <summary>Whether the change is its own and must come back to it all the same.</summary>
    public bool MustReceive(StoredRow row, string by)
    {
        lock (gate) return position.MustReceive(row, by);
    }

    /// <summary>The history moved on by more than is announced: the socket reads it from the store.</summary>
    public void ReadOn()
    {
        lock (gate) Apply(position.MissAnnouncement());
    }

    /// <summary>
    /// The user's sockets have announced nothing after <paramref name="upTo"/>, and hold their gate so that it stays so: the socket goes
    /// live. False when the client has asked for something else meanwhile, or the socket closes.
    /// </summary>
    public bool GoLive(CatchUpRun run, long upTo)
    {
        lock (gate)
        {
            if (!position.CanGoLive) return false;
            Apply(position.GoLive(run, upTo, run.IsAsked ? BuildEnd(run, upTo) : default));
            return true;
        }
    }

    public void Close(CloseCode code)
    {
        lock (gate) Apply(position.Close(code));
    }

    /// <summary>Once a second, by the one timer all sockets share.</summary>
    public void Tick(long nowMs)
    {
        lock (gate)
        {
            if (position.State is SessionState.Closing && nowMs - closingMs >= SocketLimits.ClosingMs) socket.Abort();
            if (!IsOpen) return;
            position.Forget(nowMs);
            if (nowMs >= token.ExpiresMs) Close(CloseCode.TokenExpired);
            else if (nowMs - LastFrameMs >= SocketLimits.IdleMs) Close(CloseCode.Idle);
            else if (position.IsSending && nowMs - progressMs >= SocketLimits.StalledMs) Close(CloseCode.TooSlow);
        }
    }

    /// <summary>Signed out: tokens issued before then no longer count.</summary>
    public void SignedOut(long notBeforeMs)
    {
        if (token.IssuedAtMs < notBeforeMs) Close(CloseCode.SignedOut);
    }

    /// <summary>
    /// It leaves the user's sockets. The token source is cancelled but not disposed: a read from the store may still use it.
    /// </summary>
    public void Dispose()
    {
        sockets.Leave(this);
        lock (gate) position.End();
        over.Cancel();
    }

    /// <summary>A frame without a place in the order.</summary>
    private void SendUnordered(ReadOnlyMemory<byte> frame)
    {
        lock (gate) Apply(position.SendUnordered(frame));
    }

    private void SendNow(ReadOnlyMemory<byte> frame)
    {
        lock (gate) Apply(position.SendNow(frame));
    }

    /// <summary>
    /// Does what an event of the position asks for, before another event can happen: nothing here waits or calls back.
    /// </summary>
    private void Apply(StreamEffects effects)
    {
        if (effects is StreamEffects.None) return;
        if (!gate.IsHeldByCurrentThread) throw new InvalidOperationException("Effects are applied under the lock that their event took.");
        if (effects.HasFlag(StreamEffects.CountOverflow)) context.Metrics.Overflows.Add(1);
        if (effects.HasFlag(StreamEffects.StartReader)) StartReader();
        if (effects.HasFlag(StreamEffects.Close)) BeginClosing();
        if (effects.HasFlag(StreamEffects.StartSender)) StartSender();
    }

    private void BeginClosing()
    {
        closingMs = context.NowMs;
        if (position.CloseCode != default) context.Metrics.SocketClosed((int)position.CloseCode);
        // Not here: code that waits for the token would continue under two locks.
        ThreadPool.UnsafeQueueUserWorkItem(static ended => ended.Cancel(), over, preferLocal: false);
    }
}
