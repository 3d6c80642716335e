using System.Collections.Concurrent;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

/// <summary>Sockets and tickets of one process, in memory, beside the fake engine.</summary>
internal sealed class FakeConnections(ISyncCoordinators coordinators, TimeProvider time) : IConnections
{
    private readonly ConcurrentDictionary<string, LiveConnection> live = new();
    private readonly ConcurrentDictionary<string, (Ticket Ticket, long ExpiresMs)> tickets = new();

    public ValueTask Record(IReadOnlyList<LiveConnection> opened, IReadOnlyList<(UserId User, string ConnectionId)> closed, CancellationToken cancel)
    {
        foreach (var one in opened) live[one.ConnectionId] = one;
        foreach (var one in closed) live.TryRemove(one.ConnectionId, out _);
        return default;
    }

    public ValueTask Heartbeat(CancellationToken cancel) => default;

    public ValueTask Leave(CancellationToken cancel)
    {
        live.Clear();
        return default;
    }

    public ValueTask<IReadOnlyList<LiveConnection>> Of(UserId user, CancellationToken cancel) =>
        new([.. live.Values.Where(one => one.User == user).OrderBy(one => one.OpenedMs)]);

    public async ValueTask<IReadOnlyDictionary<UserId, UserStanding>> Standings(IReadOnlyCollection<UserId> users, CancellationToken cancel)
    {
        var found = new Dictionary<UserId, UserStanding>();
        foreach (var user in users)
        {
            var standing = await coordinators.For(user).Standing(new Caller(user, null, long.MaxValue), cancel);
            found[user] = new UserStanding(standing.Token, standing.NotBeforeMs, live.Values.Count(one => one.User == user), []);
        }

        return found;
    }

    public ValueTask Issue(ReadOnlyMemory<byte> hash, Ticket ticket, long expiresMs, CancellationToken cancel)
    {
        tickets[Convert.ToHexString(hash.Span)] = (ticket, expiresMs);
        return default;
    }

    public ValueTask<Ticket?> Redeem(ReadOnlyMemory<byte> hash, CancellationToken cancel) =>
        new(tickets.TryRemove(Convert.ToHexString(hash.Span), out var found) && found.ExpiresMs > time.GetUtcNow().ToUnixTimeMilliseconds() ? found.Ticket : null);
}
