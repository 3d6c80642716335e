using Orleans.Metadata;

namespace Mirubato.Grains.Interfaces;

/// <summary>
/// What the coordinator of a user decides; the key is the user's id. The same grain answers <see cref="IUserStatusGrain"/> and
/// <see cref="IUserConnectionsGrain"/>. An alias and a parameter never change, because silos of two releases call each other: add a member
/// to the parameter's record, or another call.
/// </summary>
[Alias("mirubato.coordinator"), DefaultGrainType(ISyncCoordinatorGrain.GrainType)]
public interface ISyncCoordinatorGrain : IGrainWithStringKey
{
    /// <summary>The grain behind all three interfaces.</summary>
    const string GrainType = "mirubato-coordinator";

    /// <summary>Decides and commits. The answer is given after the commit.</summary>
    [Alias("write"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<WriteAnswer>> Write(WriteRequest request);

    /// <summary>
    /// The answer that a write was given under a key, as a repetition of it would be given. Writes that are under way are waited for.
    /// Refused as <see cref="RequestRefusal.NotFound"/> if the key has none.
    /// </summary>
    [Alias("find-receipt"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<WriteAnswer>> FindReceipt(ReceiptQuery query);

    /// <summary>Stores the losing document again, as a new change with the present time, and takes it out of the feed.</summary>
    [Alias("restore"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<WriteAnswer>> Restore(RestoreRequest request);

    /// <summary>
    /// Stores the document of a version again, as a new change with the present time. Refused as <see cref="RequestRefusal.NotFound"/> if
    /// the version is not kept or is a deleted state.
    /// </summary>
    [Alias("restore-version"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<WriteAnswer>> RestoreVersion(RestoreVersionRequest request);

    /// <summary>Takes back what arrived after a time, of at most <see cref="Limits.RewindEntitiesMax"/> entities.</summary>
    [Alias("rewind"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<RewindReport>> Rewind(RewindRequest request);

    /// <summary>Takes a losing document out of the feed for good. The value is false when there is no such conflict.</summary>
    [Alias("dismiss"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<bool>> Dismiss(DismissRequest request);

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

    /// <summary>
    /// Begins a new epoch, <see cref="Limits.EpochJump"/> ahead, with everything that is stored: every device takes over what the store has
    /// and pushes what it still has.
    /// </summary>
    [Alias("resync"), ResponseTimeout(CallTimeouts.Write)]
    Task<Reply<HistoryState>> Resync();
}

[GenerateSerializer, Immutable, Alias("mirubato.restore")]
public sealed record RestoreRequest([property: Id(0)] Caller Caller, [property: Id(1)] string ConflictId);

[GenerateSerializer, Immutable, Alias("mirubato.dismiss")]
public sealed record DismissRequest([property: Id(0)] string ConflictId);

[GenerateSerializer, Immutable, Alias("mirubato.revoke")]
public sealed record RevokeRequest([property: Id(0)] DeviceId Device, [property: Id(1)] bool Revoked);
