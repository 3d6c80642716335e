namespace Mirubato.Grains.Interfaces;

/// <summary>Finds the coordinator of a user, wherever it runs. This is all the Gateway knows of an engine.</summary>
public interface ISyncCoordinators
{
    ISyncCoordinator For(UserId user);
}

/// <summary>
/// The authority over one user's entities. Every call may throw <see cref="StoreUnavailableException"/>: nothing was acknowledged then.
/// </summary>
public interface ISyncCoordinator
{
    /// <summary>Decides and commits; durable before the answer is given, told to rooms before the next write is.</summary>
    ValueTask<WriteAnswer> Write(WriteRequest request, CancellationToken cancel);

    /// <summary>Where the history stands, and whether this caller may still take part. Notes the device as seen.</summary>
    ValueTask<Standing> Standing(Caller caller, CancellationToken cancel);

    /// <summary>A page of stored entities. Bypasses waiting writes.</summary>
    ValueTask<ReadPage> Read(Caller caller, ReadQuery query, CancellationToken cancel);

    ValueTask<StatusReport> Status(Caller caller, CancellationToken cancel);

    /// <summary>The conflict feed, newest first, from behind <paramref name="after"/> (a conflict id; null: from the start).</summary>
    ValueTask<IReadOnlyList<ConflictReport>> Conflicts(string? after, int limit, CancellationToken cancel);

    /// <summary>Stores the losing document again, as a new change stamped now, and takes it out of the feed.</summary>
    ValueTask<WriteAnswer> Restore(Caller caller, string conflictId, CancellationToken cancel);

    /// <summary>False when there is no such conflict.</summary>
    ValueTask<bool> Dismiss(string conflictId, CancellationToken cancel);

    ValueTask<IReadOnlyList<DeviceReport>> Devices(CancellationToken cancel);

    /// <summary>Turns a device away, or lets it in again. False when there is no such device.</summary>
    ValueTask<bool> Admit(DeviceId device, bool allowed, CancellationToken cancel);

    /// <summary>Tokens issued before now are refused from now on. Answers the new bound, Unix ms.</summary>
    ValueTask<long> SignOutEverywhere(CancellationToken cancel);

    /// <summary>Documents, conflicts, devices and receipts go; entities become tombstones in a new epoch.</summary>
    ValueTask<Standing> Erase(CancellationToken cancel);

    /// <summary>Tells <paramref name="room"/> of every commit made here from now on, in order.</summary>
    void Attach(IRoom room);

    void Detach(IRoom room);
}

/// <summary>The live sockets of a user in one process. Announcing never blocks: what does not fit is read from the store later.</summary>
public interface IRoom
{
    void Announce(Announcement announcement);
}

/// <summary>Commits made here: the rows of revisions <c>(After, Head]</c>, by revision. Durable before it is told.</summary>
public sealed record Announcement(Epoch Epoch, Revision After, Revision Head, IReadOnlyList<AnnouncedRow> Rows);

/// <param name="ConnectionId">The socket that wrote it and holds it as it was stored; null when it came over HTTP, or differs from what was sent.</param>
/// <param name="IsNew">Nobody knew a live entity of that key; null: not known, the row was read from the store.</param>
public sealed record AnnouncedRow(StoredRow Row, string? ConnectionId, bool? IsNew = null);
