using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

/// <summary>
/// What a coordinator needs of a database. PostgreSQL and SQLite pass one contract suite.
/// Any failure of the world surfaces as <see cref="StoreUnavailableException"/>; times are Unix ms and come in as arguments.
/// </summary>
internal interface IUserStore
{
    /// <summary>
    /// The user's history state and every head with a revision after <paramref name="after"/>, in one snapshot.
    /// A user without a row is provisioned first, with a fresh epoch.
    /// </summary>
    ValueTask<UserSnapshot> Load(UserId user, Revision after, long nowMs, CancellationToken cancel);

    /// <summary>
    /// All of it or nothing, in one transaction, only if the stored (epoch, head) is the one it was decided on, no device of it is revoked
    /// and no token of it is signed out.
    /// </summary>
    ValueTask<CommitOutcome> Commit(UserId user, Commit commit, CancellationToken cancel);

    /// <summary>The history state alone. A user without a row is provisioned first.</summary>
    ValueTask<HistoryState> HistoryState(UserId user, DeviceId? device, long nowMs, CancellationToken cancel);

    /// <summary>
    /// The history state and what is known of the user's devices, in one snapshot. A user without a row is provisioned first.
    /// </summary>
    ValueTask<UserState> State(UserId user, long nowMs, CancellationToken cancel);

    /// <summary>The state of each of those users, in one statement. A user without a row is absent; no row is made.</summary>
    ValueTask<Dictionary<UserId, UserState>> States(IReadOnlyCollection<UserId> users, CancellationToken cancel);

    /// <summary>Rows and history state of one snapshot. No connection is held once it returns.</summary>
    ValueTask<ReadPage> Read(UserId user, DeviceId? device, ReadQuery query, long nowMs, CancellationToken cancel);

    /// <summary>All live documents and the history state of one snapshot. No connection is held once it returns.</summary>
    ValueTask<LiveDocuments> Documents(UserId user, DeviceId? device, LiveQuery query, long nowMs, CancellationToken cancel);

    /// <summary>The stored rows of those keys, tombstones included, in no particular order; absent ones are absent.</summary>
    ValueTask<IReadOnlyList<StoredRow>> Rows(UserId user, IReadOnlyCollection<EntityKey> keys, CancellationToken cancel);

    /// <summary>The receipt of a key unless it has expired.</summary>
    ValueTask<Receipt?> Receipt(UserId user, WriteScope scope, string key, long nowMs, CancellationToken cancel);

    /// <summary>The feed, newest first, behind <paramref name="after"/> (null: from the start).</summary>
    ValueTask<List<ConflictReport>> Conflicts(UserId user, string? after, int limit, CancellationToken cancel);

    ValueTask<ConflictReport?> Conflict(UserId user, string id, CancellationToken cancel);

    ValueTask<bool> DeleteConflict(UserId user, string id, CancellationToken cancel);

    /// <summary>
    /// If the user has more receipts than <paramref name="max"/>, in number or in bytes, deletes the oldest until there are at most
    /// <paramref name="kept"/>. Their keys are forgotten: a repetition is then a request of its own. Returns what is left.
    /// </summary>
    ValueTask<StoredTotals> TrimReceipts(UserId user, StoredTotals max, StoredTotals kept, CancellationToken cancel);

    /// <summary>Deletes all but the newest <paramref name="keep"/> conflicts.</summary>
    ValueTask TrimConflicts(UserId user, int keep, CancellationToken cancel);

    /// <summary>
    /// Of each entity the present state and, without a gap, those before it down to a version; in one snapshot, oldest first. Where that
    /// would be more than <paramref name="bytesMax"/> in all, older states are left out.
    /// </summary>
    ValueTask<List<StoredVersion>> VersionsFrom(
        UserId user, IReadOnlyDictionary<EntityKey, long> oldest, long bytesMax, CancellationToken cancel);

    /// <summary>The states of one entity below a version, newest first, the present one included.</summary>
    ValueTask<List<StoredVersion>> History(UserId user, EntityKey entity, long before, int limit, CancellationToken cancel);

    /// <summary>Every state that was replaced, by key and version, behind that one.</summary>
    ValueTask<List<StoredVersion>> Versions(UserId user, EntityKey after, long version, int limit, CancellationToken cancel);

    /// <summary>Present states that were received after a time, by key, behind that one.</summary>
    ValueTask<List<StoredVersion>> ChangedSince(UserId user, long sinceMs, EntityKey after, int limit, CancellationToken cancel);

    /// <summary>
    /// Thins the user's versions by age (docs/protocol.md, History), and deletes the oldest past so many bytes of one entity or of all.
    /// Returns what is left, and whether nothing more must go: only so many go at once. It reads all of the user's versions.
    /// </summary>
    ValueTask<(StoredTotals Kept, bool IsDone)> TrimVersions(
        UserId user, long entityBytesMax, long bytesMax, long nowMs, CancellationToken cancel);

    ValueTask<List<DeviceReport>> Devices(UserId user, CancellationToken cancel);

    /// <summary>
    /// Inserts the device or raises its last seen time and revision; never lowers them. False when a new one would exceed
    /// <paramref name="devicesMax"/>.
    /// </summary>
    ValueTask<bool> SeeDevice(UserId user, DeviceId device, long lastSeq, int devicesMax, long nowMs, CancellationToken cancel);

    /// <summary>
    /// Sets or (null) clears the revocation, and raises <c>rights</c>. False when there is no such device; then nothing changes.
    /// </summary>
    ValueTask<bool> RevokeDevice(UserId user, DeviceId device, long? revokedMs, CancellationToken cancel);

    /// <summary>Raises <c>not_before</c>, never lowers it, and raises <c>rights</c>.</summary>
    ValueTask SignOut(UserId user, long notBeforeMs, CancellationToken cancel);

    /// <summary>
    /// In one transaction: documents, conflicts, devices and receipts go, every entity becomes a tombstone purged in
    /// <see cref="Limits.ErasedTombstoneDays"/> days, under a new epoch whose revisions start <see cref="Limits.EpochJump"/> after the
    /// last.
    /// </summary>
    ValueTask Erase(UserId user, long nowMs, CancellationToken cancel);

    /// <summary>
    /// A user whose head is below <paramref name="last"/> gets a new epoch whose revisions begin above it; a user without a row is
    /// provisioned first. False when the head was there already: then nothing changes.
    /// </summary>
    ValueTask<bool> StartAbove(UserId user, Revision last, long nowMs, CancellationToken cancel);

    /// <summary>A new epoch whose revisions start <see cref="Limits.EpochJump"/> after the last; what is stored stays.</summary>
    ValueTask BumpEpoch(UserId user, CancellationToken cancel);
}

/// <summary>The upkeep that no user waits for.</summary>
internal interface IStoreUpkeep
{
    /// <summary>
    /// Applies the migrations this build knows, under a lock. Throws with the remedy when the schema is newer than the build.
    /// </summary>
    ValueTask Migrate(CancellationToken cancel);

    /// <summary>
    /// One small query; throws <see cref="StoreUnavailableException"/> when the store cannot serve, or only reads (<c>read_only</c>,
    /// <c>full</c>).
    /// </summary>
    ValueTask Ping(CancellationToken cancel);

    /// <summary>
    /// One batch of a step, which removes at most so many rows and looks at at most so many users. The batch checks the lease in the
    /// transaction that changes rows, so it changes nothing once another process has taken the lease.
    /// </summary>
    /// <param name="cursor">Null begins the step. Else the cursor that the previous batch returned, in whichever process that ran.</param>
    /// <exception cref="LeaseLostException">
    /// The lease is not the holder's, or expired at <paramref name="nowMs"/>. Nothing was changed.
    /// </exception>
    ValueTask<SweepProgress> Sweep(SweepStep step, string? cursor, string holder, long nowMs, CancellationToken cancel);

    /// <summary>
    /// Takes the lease if it is free, expired at <paramref name="nowMs"/> or already the holder's, until <paramref name="untilMs"/>.
    /// </summary>
    ValueTask<bool> TryLease(string holder, long nowMs, long untilMs, CancellationToken cancel);

    /// <summary>Frees the lease if it is the holder's.</summary>
    ValueTask ReleaseLease(string holder, CancellationToken cancel);

    /// <summary>The 32 bytes that authenticate tickets. The first migration makes them; every process reads the same.</summary>
    ValueTask<byte[]> TicketKey(CancellationToken cancel);

    /// <summary>
    /// After a restore from a backup: every user gets a new epoch, <see cref="Limits.EpochJump"/> ahead, and the
    /// <see cref="RestoreMark"/> goes. Answers how many users.
    /// </summary>
    ValueTask<long> BumpEpochs(CancellationToken cancel);

    /// <summary>
    /// Bumps the epochs if the database has a <see cref="RestoreMark"/>: a restore was cut off before it did. Answers how many users; null:
    /// there is no mark.
    /// </summary>
    ValueTask<long?> FinishRestore(CancellationToken cancel);
}

/// <summary>What became of a commit.</summary>
/// <param name="Rights">The stored <see cref="HistoryState.Rights"/> at the fence; only meaningful when the commit held.</param>
internal readonly record struct CommitOutcome(CommitResult Result, long Rights = 0);

internal enum CommitResult
{
    Held,

    /// <summary>The stored epoch or head is another, or a device was revoked or a token signed out: reload and decide again.</summary>
    FenceLost,

    /// <summary>A key already has a receipt that has not expired: read it and replay.</summary>
    ReceiptTaken,
}

/// <summary>How many rows of a kind a user has, and the bytes of what they keep: answers in receipts, documents in versions.</summary>
internal readonly record struct StoredTotals(long Count, long Bytes)
{
    public StoredTotals Add(StoredTotals other) => new(Count + other.Count, Bytes + other.Bytes);

    public bool Exceeds(StoredTotals max) => Count > max.Count || Bytes > max.Bytes;
}
