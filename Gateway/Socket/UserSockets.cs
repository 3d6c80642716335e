using System.Diagnostics;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// The sockets of one user in this process. It keeps the revision it has announced: a commit that continues it is announced from memory.
/// At anything else each socket reads what it lacks from the store, so announcements may be late, doubled or lost. A frame is built once,
/// and its bytes are shared by all who get it.
/// </summary>
internal sealed class UserSockets(UserId user, SocketContext context)
{
    private readonly Lock gate = new();
    private readonly List<SocketSession> sessions = new(1);
    private SyncToken? announced;

    public UserId User => user;

    /// <summary>What the user's coordinator knows of these sockets.</summary>
    public RosterState Roster { get; } = new();

    public SyncToken? Announced => announced;

    public IReadOnlyList<SocketSession> Sessions
    {
        get
        {
            lock (gate) return [.. sessions];
        }
    }

    public int Count => sessions.Count;

    public bool HasSessions => sessions.Count > 0;

    public void Enter(SocketSession session)
    {
        lock (gate) sessions.Add(session);
        context.Metrics.Sockets.Add(1);
    }

    public void Leave(SocketSession session)
    {
        bool left;
        lock (gate) left = sessions.Remove(session);
        if (left) context.Metrics.Sockets.Add(-1);
    }

    public void Tick(long nowMs)
    {
        lock (gate)
        {
            foreach (var session in sessions) session.Tick(nowMs);
        }
    }

    /// <summary>Handles an announcement of the coordinator. It never blocks.</summary>
    public void Tell(UserNews news)
    {
        if (news.Announcement is { } announcement) Announce(announcement, news.Trace);
        if (news.Head is { } head) Follow(head);
        if (news.NotBeforeMs > 0 || news.Revoked is { Count: > 0 } || news.Evicted is not null || news.Disconnected) Close(news);
    }

    public void Follow(UserState state)
    {
        Follow(state.HistoryState.Token);
        Close(new UserNews(user) { NotBeforeMs = state.HistoryState.NotBeforeMs, Revoked = state.Revoked });
    }

    /// <summary>The history has come to <paramref name="head"/>. Sockets that did not receive all of it read the rest.</summary>
    public void Follow(SyncToken head)
    {
        lock (gate)
        {
            if (!IsKnown(head)) JumpTo(head);
        }
    }

    /// <summary>
    /// A socket that has been sent everything up to <paramref name="upTo"/> goes live, unless more has been announced meanwhile.
    /// </summary>
    public bool Join(SocketSession session, CatchUpRun run, SyncToken upTo)
    {
        lock (gate)
        {
            if (announced is not { } known || !HasListeners) announced = known = Later(upTo);
            if (known.Epoch != upTo.Epoch)
            {
                // The next page says which of the two epochs is the newer one.
                JumpTo(upTo);
                return false;
            }

            return !known.Seq.IsAfter(upTo.Seq) && session.GoLive(run, upTo.Seq.Number);
        }
    }

    /// <summary>The session that has been silent for the longest, if any has been for <see cref="Limits.EvictSilentMs"/>.</summary>
    public SilentConnection? LongestSilent()
    {
        lock (gate)
        {
            var silent = sessions.FindAll(
                one => one.IsOpen && context.NowMs - one.LastFrameMs > Limits.EvictSilentMs).MinBy(one => one.LastFrameMs);
            return silent is null ? null : new SilentConnection(silent.ConnectionId, context.NowMs - silent.LastFrameMs);
        }
    }

    private bool HasListeners => sessions.Exists(session => session.IsLive);

    private bool IsKnown(SyncToken head) => announced is { } known && known.Epoch == head.Epoch && !head.Seq.IsAfter(known.Seq);

    private SyncToken Later(SyncToken head) => IsKnown(head) ? announced!.Value : head;

    private void Announce(Announcement announcement, string? trace)
    {
        lock (gate)
        {
            if (IsKnown(announcement.Token)) return;
            var follows = announced == new SyncToken(announcement.Epoch, announcement.After)
                && announcement.Rows.Count <= Limits.AnnouncedRowsMax;
            if (follows && HasListeners)
            {
                Offer(announcement, Tracing.StartApart("announce", ActivityKind.Consumer, Tracing.Parse(trace)));
            }
            else if (HasListeners) JumpTo(announcement.Token);
            announced = announcement.Token;
        }
    }

    private void JumpTo(SyncToken head)
    {
        announced = head;
        foreach (var session in sessions) session.ReadOn();
    }

    private void Offer(Announcement announcement, Activity? span)
    {
        var fanOut = new FanOut(context.Metrics, context.Time, announcement, span);
        foreach (var frame in RowFrames.Stream(WithEchoes(announcement.Rows), announcement.After.Number, context.Now))
        {
            var counted = frame.Seq == announcement.Head.Number ? fanOut : null;
            foreach (var session in sessions) session.Offer(frame, counted);
        }

        fanOut.Done();
    }

    /// <summary>A sender that must receive one of its own changes receives all: then no acknowledgement stands between two.</summary>
    private List<AnnouncedRow> WithEchoes(List<AnnouncedRow> rows)
    {
        HashSet<string>? astray = null;
        foreach (var (row, by, _) in rows)
        {
            if (by is not null && sessions.Exists(session => session.MustReceive(row, by))) (astray ??= []).Add(by);
        }

        return astray is null
            ? rows
            : [.. rows.Select(row => row.ConnectionId is { } by && astray.Contains(by) ? row with { ConnectionId = null } : row)];
    }

    private void Close(UserNews news)
    {
        foreach (var session in Sessions)
        {
            session.SignedOut(news.NotBeforeMs);
            if (news.Disconnected) session.Close(CloseCode.Restarting);
            if (session.Device is { } device && news.Revoked?.Contains(device) is true) session.Close(CloseCode.SignedOut);
            if (news.Evicted?.Contains(session.ConnectionId) is true) session.Close(CloseCode.Evicted);
        }
    }
}
