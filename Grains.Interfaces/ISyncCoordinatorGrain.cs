namespace Mirubato.Grains.Interfaces;

/// <summary>
/// The coordinator of one user; the key is the user's id. It decides and commits the user's writes, knows the user's connections in every
/// process, and announces each commit to them. An alias and a parameter never change, because silos of two releases call each other: add a
/// member to the parameter's record, or another call.
/// </summary>
[Alias("mirubato.coordinator")]
public interface ISyncCoordinatorGrain : IGrainWithStringKey
{
    /// <summary>Decides and commits. The answer is given after the commit.</summary>
    [Alias("write"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<WriteAnswer>> Write(WriteRequest request);

    /// <summary>
    /// The answer that a write was given under a key, as a repetition of it would be given. Writes that are under way are waited for.
    /// Refused as <see cref="RequestRefusal.NotFound"/> if the key has none.
    /// </summary>
    [Alias("find-receipt"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<WriteAnswer>> FindReceipt(ReceiptQuery query);

    /// <summary>Stores the losing document again, as a new change stamped now, and takes it out of the feed.</summary>
    [Alias("restore"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<WriteAnswer>> Restore(RestoreRequest request);

    /// <summary>
    /// Stores the document of a version again, as a new change stamped now. Refused as <see cref="RequestRefusal.NotFound"/> if the version
    /// is not kept or is a deleted state.
    /// </summary>
    [Alias("restore-version"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<WriteAnswer>> RestoreVersion(RestoreVersionRequest request);

    /// <summary>Takes back what arrived after a time, of at most <see cref="Limits.RewindEntitiesMax"/> entities.</summary>
    [Alias("rewind"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<RewindReport>> Rewind(RewindRequest request);

    /// <summary>Takes a losing document out of the feed for good. The value is false when there is no such conflict.</summary>
    [Alias("dismiss"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<bool>> Dismiss(DismissRequest request);

    /// <summary>
    /// Where the history stands, and whether this caller may still take part. What the store confirmed within the last
    /// <see cref="Limits.ConfirmedMs"/> may say that the caller is welcome; anything else a snapshot of the store says. Notes the device as
    /// seen.
    /// </summary>
    [Alias("standing"), ResponseTimeout(CallTimeouts.HistoryState)]
    Task<Reply<HistoryState>> HistoryState(Caller caller);

    /// <summary>The figures of <c>GET /api/sync/status</c>, decided as <see cref="HistoryState"/> is.</summary>
    [Alias("status"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<StatusReport>> Status(Caller caller);

    /// <summary>The user's devices, and which of them are connected to any process.</summary>
    [Alias("devices"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<List<DeviceReport>>> Devices();

    /// <summary>Revokes a device, or allows it again. The value is false when there is no such device.</summary>
    [Alias("revoke"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<bool>> Revoke(RevokeRequest request);

    /// <summary>Refuses every token issued before now. The value is the new bound, Unix ms.</summary>
    [Alias("sign-out"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<long>> SignOutEverywhere();

    /// <summary>Documents, conflicts, devices and receipts go; entities become tombstones in a new epoch.</summary>
    [Alias("erase"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<HistoryState>> Erase();

    /// <summary>
    /// For an import: a history that stands below <paramref name="last"/> begins a new epoch above it. False: it stood there already.
    /// </summary>
    [Alias("start-above"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<bool>> StartAbove(Revision last);

    /// <summary>What an operator sees of the user. It loads the heads.</summary>
    [Alias("inspect"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<UserReport>> Inspect();

    /// <summary>
    /// Begins a new epoch, <see cref="Limits.EpochJump"/> ahead, with everything that is stored: every device takes over what the store has
    /// and pushes what it still has.
    /// </summary>
    [Alias("resync"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<HistoryState>> Resync();

    /// <summary>Closes every connection of the user with 1012; they come back. The value is how many there were.</summary>
    [Alias("disconnect"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<int>> Disconnect();

    /// <summary>Takes in all connections that a process has of the user, and admits or refuses the new ones among them.</summary>
    [Alias("report"), ResponseTimeout(CallTimeouts.Roster)]
    Task<RosterReply> Report(Roster roster);

    /// <summary>Remembers a ticket until it is redeemed or expires. Past <see cref="Limits.TicketsMax"/> the oldest goes.</summary>
    [Alias("issue-ticket"), ResponseTimeout(CallTimeouts.Roster)]
    Task IssueTicket(TicketGrant ticket);

    /// <summary>Takes the ticket out. Null when this activation does not know it, it has expired, or it was redeemed before.</summary>
    [Alias("redeem-ticket"), ResponseTimeout(CallTimeouts.Roster)]
    Task<TicketGrant?> RedeemTicket(TicketRedemption redemption);
}

/// <summary>How long a caller waits for an answer of a grain. No answer to a write says nothing about its outcome.</summary>
public static class CallTimeouts
{
    public const string HistoryState = "00:00:01";
    public const string Roster = "00:00:02";
    public const string Announcement = "00:00:02";
    public const string Write = "00:00:30";
    public const string Read = "00:00:15";
}

/// <summary>A value, or the failure instead: as an exception it would not arrive as what it is.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.reply`1")]
public sealed record Reply<T>([property: Id(0)] T? Value, [property: Id(1)] Fault? Fault = null)
{
    /// <exception cref="StoreUnavailableException">The store failed.</exception>
    /// <exception cref="InvalidOperationException">The coordinator met a bug, which it has logged.</exception>
    public T ValueOrThrow() => Fault switch
    {
        null => Value!,
        { Reason: Interfaces.Fault.Bug } => throw new InvalidOperationException("The user's coordinator failed; its log says why."),
        _ => throw new StoreUnavailableException(Fault.Reason, Fault.OutcomeUnknown),
    };
}

/// <summary>A failure on its way to another process: the class of a <see cref="StoreUnavailableException"/>, or a bug.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.fault")]
public sealed record Fault([property: Id(0)] string Reason, [property: Id(1)] bool OutcomeUnknown)
{
    public const string Bug = "bug";
}

[GenerateSerializer, Immutable, Alias("mirubato.restore")]
public sealed record RestoreRequest([property: Id(0)] Caller Caller, [property: Id(1)] string ConflictId);

[GenerateSerializer, Immutable, Alias("mirubato.dismiss")]
public sealed record DismissRequest([property: Id(0)] string ConflictId);

[GenerateSerializer, Immutable, Alias("mirubato.revoke")]
public sealed record RevokeRequest([property: Id(0)] DeviceId Device, [property: Id(1)] bool Revoked);
