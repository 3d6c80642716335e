using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Storage;

/// <summary>The sockets of this process among those of all, over whichever store.</summary>
internal sealed class Connections(IConnectionStore store, ProcessName process, Hearing hearing, TimeProvider time) : IConnections
{
    private volatile bool known;
    private volatile bool left;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    private long SilentMs => NowMs - Ages.GatewaySilenceMs;

    public async ValueTask Record(
        IReadOnlyList<LiveConnection> opened, IReadOnlyList<(UserId User, string ConnectionId)> closed, CancellationToken cancel)
    {
        if (left || opened.Count + closed.Count == 0) return;
        Note(isNew: await store.Record(process.Value, opened, closed, NowMs, cancel));
    }

    public async ValueTask Heartbeat(CancellationToken cancel)
    {
        if (left) return;
        Note(isNew: await store.Beat(process.Value, NowMs, cancel));
        await store.ForgetSilent(SilentMs, cancel);
    }

    public ValueTask Leave(CancellationToken cancel)
    {
        left = true;
        return store.Leave(process.Value, cancel);
    }

    public ValueTask<IReadOnlyList<LiveConnection>> Of(UserId user, CancellationToken cancel) => store.Of(user, SilentMs, cancel);

    public ValueTask<IReadOnlyDictionary<UserId, UserStanding>> Standings(IReadOnlyCollection<UserId> users, CancellationToken cancel) =>
        store.Standings(users, SilentMs, cancel);

    public ValueTask Issue(ReadOnlyMemory<byte> hash, Ticket ticket, long expiresMs, CancellationToken cancel) =>
        store.Issue(hash, ticket, expiresMs, cancel);

    public async ValueTask<Ticket?> Redeem(ReadOnlyMemory<byte> hash, CancellationToken cancel) =>
        await store.Redeem(hash, cancel) is var (ticket, expiresMs) && NowMs <= expiresMs ? ticket : null;

    /// <summary>A process that was known and is new again was taken for dead, and its connections with it.</summary>
    private void Note(bool isNew)
    {
        var forgotten = isNew && known;
        known = true;
        if (forgotten) hearing.Forgotten();
    }
}
