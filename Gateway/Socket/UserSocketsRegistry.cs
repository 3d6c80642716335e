namespace Mirubato.Gateway.Socket;

/// <summary>
/// The sockets of this process, by user. Coordinators tell it, as the one observer of the process. One timer serves all sockets, because a
/// timer each would cost more than the socket.
/// </summary>
internal sealed class UserSocketsRegistry : IGatewayObserver, IDisposable
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMilliseconds(250);

    private readonly Lock gate = new();
    private readonly Dictionary<UserId, (UserSockets Sockets, int Held)> users = [];
    private readonly Queue<(SocketSession Session, long DueMs)> greeted = new();
    private readonly Queue<(UserSockets Sockets, SyncToken Head, long DueMs)> expected = new();
    private readonly List<UserSockets> ticked = [];
    private readonly TimeProvider time;
    private readonly ILogger<UserSocketsRegistry> log;
    private readonly ITimer timer;
    private long tickedMs;
    private int sweeping;

    public UserSocketsRegistry([FromKeyedServices(ServerClock.Key)] TimeProvider time, ILogger<UserSocketsRegistry> log)
    {
        (this.time, this.log) = (time, log);
        tickedMs = NowMs;
        timer = time.CreateTimer(_ => Sweep(), null, SweepEvery, SweepEvery);
    }

    /// <summary>So long sockets may wait for the announcement of a write of this process; then they read it from the store.</summary>
    internal int AnnouncedWithinMs { get; set; } = 500;

    /// <summary>The process stops, or was taken out of service: no socket comes in any more.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>
    /// Called once a second with all users that are here. It must not make garbage: a process full of idle sockets is to be quiet.
    /// </summary>
    public event Action<List<UserSockets>, long>? Ticked;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The user's sockets, which stay here until they are released.</summary>
    public UserSockets Acquire(UserId user, SocketContext context)
    {
        lock (gate)
        {
            var held = users.TryGetValue(user, out var found) ? found : (Sockets: new UserSockets(user, context), Held: 0);
            users[user] = (held.Sockets, held.Held + 1);
            return held.Sockets;
        }
    }

    public void Release(UserSockets sockets)
    {
        lock (gate)
        {
            var held = users[sockets.User].Held - 1;
            if (held > 0) users[sockets.User] = (sockets, held);
            else users.Remove(sockets.User);
        }
    }

    public UserSockets? Find(UserId user)
    {
        lock (gate) return users.TryGetValue(user, out var held) ? held.Sockets : null;
    }

    public List<UserSockets> All()
    {
        lock (gate) return [.. users.Values.Select(held => held.Sockets)];
    }

    /// <summary>How many sockets are open here.</summary>
    public int SocketCount => All().Sum(sockets => sockets.Count);

    public IReadOnlyList<SocketSession> Sessions() => [.. All().SelectMany(sockets => sockets.Sessions)];

    /// <summary>What sockets have not sent yet. It is read without their locks, so it may be a moment old.</summary>
    public SocketBacklog Backlog()
    {
        var (frames, bytes, lag) = (0L, 0L, 0L);
        foreach (var sockets in All())
        {
            var head = sockets.Announced?.Seq.Number ?? 0;
            foreach (var session in sockets.Sessions)
            {
                frames += session.OutboxFrames;
                bytes += session.OutboxBytes;
                if (session.IsOpen && session.HandedSeq > 0) lag = Math.Max(lag, head - session.HandedSeq);
            }
        }

        return new SocketBacklog(frames, bytes, lag);
    }

    public Task Tell(UserNews news)
    {
        if (Find(news.User) is not { } sockets) return Task.CompletedTask;
        sockets.Tell(news);
        if (news.ActivationEnded) sockets.Roster.DueMs = 0;
        return Task.CompletedTask;
    }

    public Task<List<ConnectionPosition>> Positions(UserId user) => Task.FromResult<List<ConnectionPosition>>(
        [.. (Find(user)?.Sessions ?? []).Select(one => new ConnectionPosition(one.ConnectionId, one.HandedSeq))]);

    public Task<SilentConnection?> LongestSilent(UserId user) => Task.FromResult(Find(user)?.LongestSilent());

    /// <summary>A write of this process was committed: its own sockets must hear of it soon, or they read it from the store.</summary>
    public void Expect(UserId user, SyncToken head)
    {
        if (Find(user) is not { } sockets || sockets.Announced == head) return;
        lock (expected) expected.Enqueue((sockets, head, NowMs + AnnouncedWithinMs));
    }

    /// <summary>If the client sends no SYNC_REQUEST within a second, the last minute is replayed.</summary>
    public void AwaitRequest(SocketSession session)
    {
        lock (greeted) greeted.Enqueue((session, NowMs + SocketLimits.SyncRequestAwaitedMs));
    }

    /// <summary>
    /// Every socket is asked to connect again. The closes are spread over 2 s, so that clients do not all reconnect at once.
    /// </summary>
    public async Task Drain(CancellationToken cancel)
    {
        IsDraining = true;
        var sessions = Sessions();
        if (sessions.Count == 0) return;
        Log.Draining(log, sessions.Count);
        await Task.WhenAll(sessions.Select(async session =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(SocketLimits.DrainWithinMs)), time, cancel);
            session.Close(CloseCode.Restarting);
        }));
    }

    /// <summary>Sockets may come in again.</summary>
    public void Resume() => IsDraining = false;

    public void Dispose() => timer.Dispose();

    private void Sweep()
    {
        if (Interlocked.Exchange(ref sweeping, 1) == 1) return;
        try
        {
            var nowMs = NowMs;
            while (NextWithoutRequest(nowMs) is { } session) session.ReplayUnrequested();
            while (NextExpected(nowMs) is var (sockets, head)) sockets.Follow(head);
            if (nowMs - tickedMs < 1_000) return;
            tickedMs = nowMs;
            Tick(nowMs);
        }
        catch (Exception bug)
        {
            Log.SocketFailed(log, bug);
        }
        finally
        {
            Volatile.Write(ref sweeping, 0);
        }
    }

    private void Tick(long nowMs)
    {
        lock (gate)
        {
            foreach (var held in users.Values) ticked.Add(held.Sockets);
        }

        foreach (var sockets in ticked) sockets.Tick(nowMs);
        Ticked?.Invoke(ticked, nowMs);
        ticked.Clear();
    }

    private SocketSession? NextWithoutRequest(long nowMs)
    {
        lock (greeted) return greeted.TryPeek(out var next) && next.DueMs <= nowMs ? greeted.Dequeue().Session : null;
    }

    private (UserSockets Sockets, SyncToken Head)? NextExpected(long nowMs)
    {
        lock (expected) return expected.TryPeek(out var next) && next.DueMs <= nowMs && expected.Dequeue() is var taken
            ? (taken.Sockets, taken.Head)
            : null;
    }
}

/// <param name="LagMax">Revisions that the slowest socket is behind what was announced to its user's sockets.</param>
internal readonly record struct SocketBacklog(long Frames, long Bytes, long LagMax);
