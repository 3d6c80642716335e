using System.Threading.Channels;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// Tells the store which sockets live here, some time after they opened: an upgrade never waits for the store.
/// </summary>
internal sealed class ConnectionBook(IConnections connections, LiveRooms rooms, SocketContext context) : BackgroundService
{
    private static readonly TimeSpan WriteEvery = TimeSpan.FromMilliseconds(500);

    private readonly Channel<(SocketSession? Session, bool Opened)> news = Channel.CreateUnbounded<(SocketSession?, bool)>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<string, LiveConnection> opened = [];
    private readonly List<(UserId User, string ConnectionId)> closed = [];

    public void Opened(SocketSession session) => news.Writer.TryWrite((session, true));

    public void Closed(SocketSession session) => news.Writer.TryWrite((session, false));

    /// <summary>
    /// The store has forgotten the sockets of this process; those that are open are written down anew. Which these are is looked up when it
    /// is their turn: a socket that goes from then on says so behind it, and so none stays written down for good.
    /// </summary>
    public void RecordAll() => news.Writer.TryWrite((null, true));

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

    private void Gather()
    {
        while (news.Reader.TryRead(out var one))
        {
            foreach (var session in one.Session is { } named ? [named] : rooms.Sessions()) Note(session, one.Opened);
        }
    }

    /// <summary>Who has closed is always taken out: an attempt that failed may have written it down all the same.</summary>
    private void Note(SocketSession session, bool isOpen)
    {
        if (isOpen)
        {
            opened[session.ConnectionId] = new LiveConnection(session.User, session.ConnectionId, session.Device, session.OpenedMs);
            return;
        }

        opened.Remove(session.ConnectionId);
        closed.Add((session.User, session.ConnectionId));
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
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            // Left to itself it would end the process.
            Log.RecordingFailed(context.Log, bug);
        }
    }
}
