using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Storage;

/// <summary>
/// What <see cref="Connections"/> needs of a database. A process is its row in <c>gateways</c>: connections without one are nobody's, and
/// unseen. Times are Unix ms and come in as arguments.
/// </summary>
internal interface IConnectionStore
{
    /// <summary>See <see cref="IConnections.Record"/>. True when the process had no row until now.</summary>
    ValueTask<bool> Record(
        string process, IReadOnlyList<LiveConnection> opened, IReadOnlyList<(UserId User, string ConnectionId)> closed, long nowMs, CancellationToken cancel);

    /// <summary>Notes the process as seen. True when it had no row until now.</summary>
    ValueTask<bool> Beat(string process, long nowMs, CancellationToken cancel);

    /// <summary>Forgets processes last seen by then, first them and then their connections, in small batches.</summary>
    ValueTask ForgetSilent(long seenMs, CancellationToken cancel);

    ValueTask Leave(string process, CancellationToken cancel);

    /// <summary>Connections of processes seen after that, oldest first.</summary>
    ValueTask<IReadOnlyList<LiveConnection>> Of(UserId user, long seenAfterMs, CancellationToken cancel);

    /// <summary>See <see cref="IConnections.Standings"/>. Connections count as in <see cref="Of"/>.</summary>
    ValueTask<IReadOnlyDictionary<UserId, UserStanding>> Standings(IReadOnlyCollection<UserId> users, long seenAfterMs, CancellationToken cancel);

    ValueTask Issue(ReadOnlyMemory<byte> hash, Ticket ticket, long expiresMs, CancellationToken cancel);

    /// <summary>Takes the ticket out, expired or not. Null when it is not there.</summary>
    ValueTask<(Ticket Ticket, long ExpiresMs)?> Redeem(ReadOnlyMemory<byte> hash, CancellationToken cancel);
}
