using System.Collections.Concurrent;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Sockets;

/// <summary>The fake's connections, which the test looks at, and where it may step in between.</summary>
internal sealed class WatchedConnections(ISyncCoordinators coordinators, TimeProvider time) : IConnections
{
    private readonly FakeConnections inner = new(coordinators, time);

    /// <summary>As the last call that said something of it left it.</summary>
    public ConcurrentDictionary<string, bool> IsOpen { get; } = new();

    /// <summary>Before anything is written down.</summary>
    public Action Recording { get; set; } = () => { };

    /// <summary>Before a ticket is taken; then it counts for this user.</summary>
    public Func<Task<UserId>>? Redeeming { get; set; }

    public async ValueTask Record(IReadOnlyList<LiveConnection> opened, IReadOnlyList<(UserId User, string ConnectionId)> closed, CancellationToken cancel)
    {
        Recording();
        await inner.Record(opened, closed, cancel);
        foreach (var one in opened) IsOpen[one.ConnectionId] = true;
        foreach (var one in closed) IsOpen[one.ConnectionId] = false;
    }

    public async ValueTask<Ticket?> Redeem(ReadOnlyMemory<byte> hash, CancellationToken cancel) =>
        Redeeming is { } held ? new Ticket(await held(), null, 0, long.MaxValue) : await inner.Redeem(hash, cancel);

    public ValueTask Heartbeat(CancellationToken cancel) => inner.Heartbeat(cancel);

    public ValueTask Leave(CancellationToken cancel) => inner.Leave(cancel);

    public ValueTask<IReadOnlyList<LiveConnection>> Of(UserId user, CancellationToken cancel) => inner.Of(user, cancel);

    public ValueTask<IReadOnlyDictionary<UserId, UserStanding>> Standings(IReadOnlyCollection<UserId> users, CancellationToken cancel) => inner.Standings(users, cancel);

    public ValueTask Issue(ReadOnlyMemory<byte> hash, Ticket ticket, long expiresMs, CancellationToken cancel) => inner.Issue(hash, ticket, expiresMs, cancel);
}
