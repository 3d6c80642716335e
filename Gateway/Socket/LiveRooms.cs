using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// The rooms of this process: one per user with a socket here, gone with the last one. Hints of all processes come in here. One timer
/// serves all sockets, for a timer each would cost more than the socket.
/// </summary>
internal sealed class LiveRooms : IHintListener, IDisposable
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMilliseconds(250);

    private readonly Lock gate = new();
    private readonly Dictionary<UserId, (Room Room, int Held)> rooms = [];
    private readonly Queue<(SocketSession Session, long DueMs)> greeted = new();
    private readonly SocketContext context;
    private readonly IConnections connections;
    private readonly List<Room> ticked = [];
    private readonly ITimer timer;
    private long tickedMs;
    private long comparedMs;
    private int sweeping;

    public LiveRooms(SocketContext context, IConnections connections)
    {
        (this.context, this.connections) = (context, connections);
        tickedMs = comparedMs = context.NowMs;
        timer = context.Time.CreateTimer(_ => Sweep(), null, SweepEvery, SweepEvery);
    }

    /// <summary>The process stops: no socket comes in any more.</summary>
    public bool IsDraining { get; private set; }

    public int Count
    {
        get
        {
            lock (gate) return rooms.Count;
        }
    }

    /// <summary>The user's room, which stays until it is let go.</summary>
    public Room Hold(UserId user)
    {
        lock (gate)
        {
            if (!rooms.TryGetValue(user, out var held))
            {
                held = (new Room(user, context), 0);
                context.Coordinators.For(user).Attach(held.Room);
            }

            rooms[user] = (held.Room, held.Held + 1);
            return held.Room;
        }
    }

    public void LetGo(Room room)
    {
        lock (gate)
        {
            var held = rooms[room.User].Held - 1;
            if (held > 0)
            {
                rooms[room.User] = (room, held);
                return;
            }

            rooms.Remove(room.User);
            context.Coordinators.For(room.User).Detach(room);
        }
    }

    /// <summary>If it does not ask within a second, it is told what it may have missed.</summary>
    public void AwaitRequest(SocketSession session)
    {
        lock (greeted) greeted.Enqueue((session, context.NowMs + SocketLimits.UnaskedAfterMs));
    }

    public void Hear(Hint hint)
    {
        if (hint is HeadMoved noted) context.Heads.Note(noted.User, noted.Head);
        if (Find(hint.User) is not { } room) return;
        switch (hint)
        {
            case HeadMoved moved:
                room.Heard(moved.Head);
                break;
            case SignedOut signedOut:
                foreach (var session in room.Sessions) session.SignedOut(signedOut.NotBeforeMs);
                break;
            case DeviceRevoked revoked:
                foreach (var session in room.Sessions.Where(s => s.Device == revoked.Device)) session.Close(CloseCode.SignedOut);
                break;
            case Evicted evicted:
                foreach (var session in room.Sessions.Where(s => s.ConnectionId == evicted.ConnectionId)) session.Close(CloseCode.Evicted);
                break;
        }
    }

    public void Missed() => _ = Compare();

    /// <summary>A user who turns out to have too many sockets over all processes loses the newest, here; elsewhere they are found there.</summary>
    public async ValueTask Limit(UserId user, CancellationToken cancel)
    {
        var all = await connections.Of(user, cancel);
        foreach (var tooMany in all.Skip(SocketLimits.ConnectionsPerUserMax)) Hear(new Evicted(user, tooMany.ConnectionId));
    }

    /// <summary>Every socket is asked to connect again, a few at a time, so that they do not all knock next door at once.</summary>
    public async Task Drain(CancellationToken cancel)
    {
        IsDraining = true;
        var sessions = Sessions();
        if (sessions.Count == 0) return;
        Log.Draining(context.Log, sessions.Count);
        await Task.WhenAll(sessions.Select(async session =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(SocketLimits.DrainWithinMs)), context.Time, cancel);
            session.Close(CloseCode.Restarting);
        }));
    }

    public void Dispose() => timer.Dispose();

    private Room? Find(UserId user)
    {
        lock (gate) return rooms.TryGetValue(user, out var held) ? held.Room : null;
    }

    private List<Room> All()
    {
        lock (gate) return [.. rooms.Values.Select(held => held.Room)];
    }

    public IReadOnlyList<SocketSession> Sessions() => [.. All().SelectMany(room => room.Sessions)];

    private void Sweep()
    {
        if (Interlocked.Exchange(ref sweeping, 1) == 1) return;
        try
        {
            var nowMs = context.NowMs;
            while (NextUnasked(nowMs) is { } session) session.Unasked();
            if (nowMs - tickedMs >= 1_000)
            {
                tickedMs = nowMs;
                Tick(nowMs);
            }

            if (nowMs - comparedMs < SocketLimits.ForgetHeadsEveryMs) return;
            comparedMs = nowMs;
            context.Heads.Forget();
        }
        catch (Exception bug)
        {
            Log.SocketFailed(context.Log, bug);
        }
        finally
        {
            Volatile.Write(ref sweeping, 0);
        }
    }

    /// <summary>Every second, for every socket: it must not make garbage, or a process full of idle sockets is never quiet.</summary>
    private void Tick(long nowMs)
    {
        lock (gate)
        {
            foreach (var held in rooms.Values) ticked.Add(held.Room);
        }

        foreach (var room in ticked) room.Tick(nowMs);
        ticked.Clear();
    }

    private SocketSession? NextUnasked(long nowMs)
    {
        lock (greeted) return greeted.TryPeek(out var next) && next.DueMs <= nowMs ? greeted.Dequeue().Session : null;
    }

    /// <summary>A hint may be lost, of whatever kind; what all of them would say now is one query.</summary>
    private async Task Compare()
    {
        try
        {
            var all = All().ToDictionary(room => room.User);
            if (all.Count == 0) return;
            foreach (var (user, standing) in await connections.Standings(all.Keys, CancellationToken.None)) await Follow(all[user], standing);
        }
        catch (StoreUnavailableException away)
        {
            context.Metrics.StoreFailed(away.Reason);
        }
        catch (Exception bug)
        {
            Log.SocketFailed(context.Log, bug);
        }
    }

    private async ValueTask Follow(Room room, UserStanding standing)
    {
        Hear(new SignedOut(room.User, standing.NotBeforeMs));
        foreach (var device in standing.Revoked) Hear(new DeviceRevoked(room.User, device));
        if (standing.Connections > SocketLimits.ConnectionsPerUserMax) await Limit(room.User, CancellationToken.None);
        // Also where nothing moves: else the first change after a long quiet leaves nobody who knows how things stood a minute ago.
        context.Heads.Note(room.User, standing.Head);
        room.Heard(standing.Head);
    }
}
