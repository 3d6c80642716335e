namespace Mirubato.Grains.Interfaces;

/// <summary>
/// All connections of one user in one process. The higher number replaces the lower, so a repeated, late or lost report leaves no ghost.
/// </summary>
/// <param name="Process">The name of the process: random, so that a restarted one is another.</param>
/// <param name="Silo">The address of the silo in that process; null in a process without one.</param>
/// <param name="Number">Rises with each report of the process about the user.</param>
/// <param name="Observer">The observer that receives announcements in that process.</param>
[GenerateSerializer, Immutable, Alias("mirubato.roster")]
public sealed record Roster(
    [property: Id(0)] string Process,
    [property: Id(1)] string? Silo,
    [property: Id(2)] long Number,
    [property: Id(3)] IGatewayObserver Observer,
    [property: Id(4)] List<LiveConnection> Connections);

/// <param name="OpenedMs">Unix ms.</param>
/// <param name="IsNew">It asks to be admitted.</param>
[GenerateSerializer, Immutable, Alias("mirubato.connection")]
public sealed record LiveConnection(
    [property: Id(0)] string ConnectionId, [property: Id(1)] DeviceId? Device, [property: Id(2)] long OpenedMs,
    [property: Id(3)] bool IsNew = false);

/// <param name="Silo">The address of the silo in which the activation runs.</param>
/// <param name="IsKnown">
/// This activation had met the process before; else the process compares with the store what it may have missed.
/// </param>
/// <param name="Refused">Connections of the report that are not admitted, because the user has as many as allowed.</param>
/// <param name="Head">Where the history stands, as far as this activation knows.</param>
/// <param name="MinuteOldHead">A revision that the history had reached a minute ago; null when the activation does not know.</param>
[GenerateSerializer, Immutable, Alias("mirubato.roster-reply")]
public sealed record RosterReply(
    [property: Id(0)] string Silo,
    [property: Id(1)] bool IsKnown,
    [property: Id(2)] List<string> Refused,
    [property: Id(3)] SyncToken? Head,
    [property: Id(4)] SyncToken? MinuteOldHead);

/// <summary>The sockets of one process, as coordinators see them. There is one of these in a process, for all users.</summary>
[Alias("mirubato.gateway")]
public interface IGatewayObserver : IGrainObserver
{
    /// <summary>Never blocks. What a socket misses it reads from the store.</summary>
    [Alias("tell"), ResponseTimeout(CallTimeouts.Announcement)]
    Task Tell(UserNews news);

    /// <summary>
    /// The connection of the user that has been silent for the longest, if any has been for <see cref="Limits.EvictSilentMs"/>.
    /// </summary>
    [Alias("longest-silent"), ResponseTimeout(CallTimeouts.HistoryState)]
    Task<SilentConnection?> LongestSilent(UserId user);

    /// <summary>How far each connection of the user has been sent.</summary>
    [Alias("positions"), ResponseTimeout(CallTimeouts.HistoryState)]
    Task<List<ConnectionPosition>> Positions(UserId user);
}

/// <param name="Seq">The last revision that was sent to it; 0: none.</param>
[GenerateSerializer, Immutable, Alias("mirubato.position")]
public sealed record ConnectionPosition([property: Id(0)] string ConnectionId, [property: Id(1)] long Seq);

[GenerateSerializer, Immutable, Alias("mirubato.silent")]
public sealed record SilentConnection([property: Id(0)] string ConnectionId, [property: Id(1)] long SilentMs);

/// <summary>What the sockets of one user are to be told. What waits for an observer is merged into one of these.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.news")]
public sealed record UserNews([property: Id(0)] UserId User)
{
    /// <summary>The rows of a commit, or of several that follow one another.</summary>
    [Id(1)]
    public Announcement? Announcement { get; init; }

    /// <summary>The head of the history. Sockets read the revisions up to it from the store.</summary>
    [Id(2)]
    public SyncToken? Head { get; init; }

    /// <summary>Sockets whose token was issued before this close with 4403. Unix ms; 0: none.</summary>
    [Id(3)]
    public long NotBeforeMs { get; init; }

    /// <summary>Sockets of these devices close with 4403.</summary>
    [Id(4)]
    public List<DeviceId>? Revoked { get; init; }

    /// <summary>These connections close with 4429.</summary>
    [Id(5)]
    public List<string>? Evicted { get; init; }

    /// <summary>The activation ends: the next one needs a report of this process's connections.</summary>
    [Id(6)]
    public bool ActivationEnded { get; init; }

    /// <summary>All sockets close with 1012, and their clients connect again.</summary>
    [Id(7)]
    public bool Disconnected { get; init; }

    /// <summary>The span of what is told, as a <c>traceparent</c>; null when nobody traces.</summary>
    [Id(8)]
    public string? Trace { get; init; }
}

/// <summary>The rows of revisions <c>(After, Head]</c>, by revision. They are durable before they are told.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.announcement")]
public sealed record Announcement(
    [property: Id(0)] Epoch Epoch, [property: Id(1)] Revision After, [property: Id(2)] Revision Head,
    [property: Id(3)] List<AnnouncedRow> Rows)
{
    /// <summary>
    /// When the first of its commits was held, UTC in ticks of 100 ns by the coordinator's clock; 0: a silo of an earlier release told it.
    /// </summary>
    [Id(4)]
    public long CommittedTicks { get; init; }

    public SyncToken Token => new(Epoch, Head);

    public long Bytes => Rows.Sum(row => (long)row.Row.Data.Length);
}

/// <param name="ConnectionId">
/// The socket that wrote it and holds it as it was stored; null when it came over HTTP, or differs from what was sent.
/// </param>
/// <param name="IsNew">Nobody knew a live entity of that key.</param>
[GenerateSerializer, Immutable, Alias("mirubato.announced-row")]
public sealed record AnnouncedRow([property: Id(0)] StoredRow Row, [property: Id(1)] string? ConnectionId, [property: Id(2)] bool IsNew);

/// <summary>What a page may put into the address of its socket instead of its token, as its coordinator keeps it.</summary>
/// <param name="Hash">SHA-256 of the ticket; the ticket itself is kept nowhere.</param>
/// <param name="Origin">The only page it counts for; null: one that sends no origin.</param>
/// <param name="TokenIssuedAtMs">When the token that it stands for was issued, Unix ms.</param>
/// <param name="TokenExpiresMs">When that token expires, Unix ms.</param>
/// <param name="ExpiresMs">When the ticket expires, Unix ms.</param>
[GenerateSerializer, Immutable, Alias("mirubato.ticket")]
public sealed record TicketGrant(
    [property: Id(0)] ReadOnlyMemory<byte> Hash,
    [property: Id(1)] string? Origin,
    [property: Id(2)] long TokenIssuedAtMs,
    [property: Id(3)] long TokenExpiresMs,
    [property: Id(4)] long ExpiresMs);

[GenerateSerializer, Immutable, Alias("mirubato.ticket-redemption")]
public sealed record TicketRedemption([property: Id(0)] ReadOnlyMemory<byte> Hash);
