namespace Mirubato.Grains.Interfaces;

/// <summary>
/// What one process tells the others about a user. Hints may come late, twice, out of order or never: each only makes its hearer look at
/// the store, so nothing is lost with one.
/// </summary>
public abstract record Hint(UserId User);

/// <summary>The user's history has come to <paramref name="Head"/>; another epoch means that it started over.</summary>
public sealed record HeadMoved(UserId User, SyncToken Head) : Hint(User);

/// <summary>Tokens issued before <paramref name="NotBeforeMs"/> are signed out: their sockets close with 4403.</summary>
public sealed record SignedOut(UserId User, long NotBeforeMs) : Hint(User);

/// <summary>The device was turned away: its sockets close with 4403.</summary>
public sealed record DeviceRevoked(UserId User, DeviceId Device) : Hint(User);

/// <summary>One connection too many, or silent for too long: it closes with 4429.</summary>
public sealed record Evicted(UserId User, string ConnectionId) : Hint(User);

/// <summary>Where an engine sends its hints. Never blocks, never throws; a hint that cannot be sent is dropped.</summary>
public interface IHints
{
    void Send(Hint hint);
}

/// <summary>
/// Who hears the hints of all processes, this one's own included (those at once, on the thread that sent them). At most one is registered
/// in a process. It must not block. Of a commit made here a room was told before it hears the hint, so that one costs no look at the store.
/// </summary>
public interface IHintListener
{
    void Hear(Hint hint);

    /// <summary>Hints may have been missed: compare every user with the store. Comes when the way to hear was lost and found, and every 30 s.</summary>
    void Missed();

    /// <summary>
    /// The others took this process for dead (it was paused, or cut off, for a minute) and forgot its connections: record all that are open.
    /// </summary>
    void Forgotten() { }
}

/// <summary>Live sockets across all processes, tickets, and heads of many users at once. Every call may throw <see cref="StoreUnavailableException"/>.</summary>
public interface IConnections
{
    /// <summary>
    /// Registers sockets of this process and takes out closed ones, in one statement. Doing so again changes nothing, so after a failure
    /// (whatever became of it) the way back is to record every open socket. One that was opened and closed belongs to the closed only.
    /// </summary>
    ValueTask Record(IReadOnlyList<LiveConnection> opened, IReadOnlyList<(UserId User, string ConnectionId)> closed, CancellationToken cancel);

    /// <summary>This process lives; forgets processes that were silent for long, with their connections. The engine calls it, every <see cref="Limits.HeartbeatEveryMs"/>.</summary>
    ValueTask Heartbeat(CancellationToken cancel);

    /// <summary>This process ends: its connections go at once, and nothing is recorded any more. The engine calls it, after the sockets have closed.</summary>
    ValueTask Leave(CancellationToken cancel);

    /// <summary>The live connections of a user on all processes, oldest first.</summary>
    ValueTask<IReadOnlyList<LiveConnection>> Of(UserId user, CancellationToken cancel);

    /// <summary>All that a lost hint may have said of those users, in one query; unknown users are absent.</summary>
    ValueTask<IReadOnlyDictionary<UserId, UserStanding>> Standings(IReadOnlyCollection<UserId> users, CancellationToken cancel);

    /// <param name="hash">SHA-256 of the ticket; the ticket itself is never stored.</param>
    /// <param name="ticket">What it stands for.</param>
    /// <param name="expiresMs">Unix ms after which it cannot be redeemed.</param>
    /// <param name="cancel">Gives up.</param>
    ValueTask Issue(ReadOnlyMemory<byte> hash, Ticket ticket, long expiresMs, CancellationToken cancel);

    /// <summary>Null when there is none, it has expired, or it was redeemed before, on whatever process.</summary>
    ValueTask<Ticket?> Redeem(ReadOnlyMemory<byte> hash, CancellationToken cancel);
}

/// <summary>What hints are about.</summary>
/// <param name="Head">Where the history stands.</param>
/// <param name="NotBeforeMs">Tokens issued before this are signed out, Unix ms.</param>
/// <param name="Connections">Live ones, on all processes.</param>
/// <param name="Revoked">The devices that were turned away.</param>
public sealed record UserStanding(SyncToken Head, long NotBeforeMs, int Connections, IReadOnlyList<DeviceId> Revoked);

public sealed record LiveConnection(UserId User, string ConnectionId, DeviceId? Device, long OpenedMs);

/// <summary>A token's rights for one upgrade. <paramref name="TokenIssuedAtMs"/> and <paramref name="TokenExpiresMs"/> are those of the token it was given for.</summary>
public sealed record Ticket(UserId User, string? Origin, long TokenIssuedAtMs, long TokenExpiresMs);
