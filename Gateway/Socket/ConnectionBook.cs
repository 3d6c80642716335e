using System.Threading.Channels;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// Tells the store which sockets live here, some time after they opened: an upgrade never waits for the store.
/// </summary>
internal sealed class ConnectionBook(IConnections connections, LiveRooms rooms, SocketContext context) : BackgroundService
{
    private static readonly TimeSpan WriteEvery = TimeSpan.FromMilliseconds(500);

    private readonly Channel<(SocketSession Session, bool Opened)> news = Channel.CreateUnbounded<(SocketSession, bool)>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<string, LiveConnection> opened = [];
    private readonly List<(UserId User, string ConnectionId)> closed = [];

    public void Opened(SocketSession session) => news.Writer.TryWrite((session, true));

    public void Closed(SocketSession session) => news.Writer.TryWrite((session, false));

    /// <summary>The store has forgotten the sockets of this process; those that are open are written down anew.</summary>
    public void RecordAll()
    {
        foreach (var session in rooms.Sessions()) Opened(session);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(WriteEvery, context.Time);
        do await Try(() => Write(stoppingToken));
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async ValueTask Write(CancellationToken cancel)
    {
        Gather();
        if (opened.Count == 0 && closed.Count == 0) return;
        var users = opened.Values.Select(one => one.User).Distinct().ToList();
        await connections.Record([.. opened.Values], [.. closed], cancel);
        opened.Clear();
        closed.Clear();
        foreach (var user in users) await rooms.Limit(user, cancel);
    }

    /// <summary>Who opened and closed in between is never written down.</summary>
    private void Gather()
    {
        while (news.Reader.TryRead(out var one))
        {
            var session = one.Session;
            if (one.Opened) opened[session.ConnectionId] = new LiveConnection(session.User, session.ConnectionId, session.Device, session.OpenedMs);
            else if (!opened.Remove(session.ConnectionId)) closed.Add((session.User, session.ConnectionId));
        }
    }

    private async ValueTask Try(Func<ValueTask> work)
    {
        try
        {
            await work();
        }
        catch (StoreUnavailableException away)
        {
            Log.SocketsNotRecorded(context.Log, away.Reason);
        }
    }
}
