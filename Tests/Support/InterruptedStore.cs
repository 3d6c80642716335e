using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Tests.Support;

/// <summary>A real store behind a point where a test may hold a commit, or cut it off before or after it happened.</summary>
internal sealed class InterruptedStore(IUserStore store) : IUserStore
{
    /// <summary>Runs around each commit; the argument is the real one.</summary>
    public Func<Func<ValueTask<CommitOutcome>>, ValueTask<CommitOutcome>>? Around { get; set; }

    public int Commits { get; private set; }

    /// <summary>How often all heads of a user were read.</summary>
    public int WholeLoads { get; private set; }

    public async ValueTask<CommitOutcome> Commit(UserId user, Commit commit, CancellationToken cancel)
    {
        Commits++;
        return Around is { } around ? await around(() => store.Commit(user, commit, cancel)) : await store.Commit(user, commit, cancel);
    }

    public static StoreUnavailableException Cut(bool outcomeUnknown) => new("unreachable", outcomeUnknown);

    public ValueTask<UserSnapshot> Load(UserId user, Revision after, long nowMs, CancellationToken cancel)
    {
        if (after == Revision.Origin) WholeLoads++;
        return store.Load(user, after, nowMs, cancel);
    }

    public ValueTask<HistoryState> HistoryState(UserId user, DeviceId? device, long nowMs, CancellationToken cancel) =>
        store.HistoryState(user, device, nowMs, cancel);

    public ValueTask<UserState> State(UserId user, long nowMs, CancellationToken cancel) => store.State(user, nowMs, cancel);

    public ValueTask<Dictionary<UserId, UserState>> States(IReadOnlyCollection<UserId> users, CancellationToken cancel) =>
        store.States(users, cancel);

    public ValueTask<ReadPage> Read(UserId user, DeviceId? device, ReadQuery query, long nowMs, CancellationToken cancel) =>
        store.Read(user, device, query, nowMs, cancel);

    public ValueTask<LiveDocuments> Documents(
        UserId user, DeviceId? device, LiveQuery query, long nowMs, CancellationToken cancel) =>
        store.Documents(user, device, query, nowMs, cancel);

    public ValueTask<IReadOnlyList<StoredRow>> Rows(UserId user, IReadOnlyCollection<EntityKey> keys, CancellationToken cancel) =>
        store.Rows(user, keys, cancel);

    public ValueTask<Receipt?> Receipt(UserId user, WriteScope scope, string key, long nowMs, CancellationToken cancel) =>
        store.Receipt(user, scope, key, nowMs, cancel);

    public ValueTask<List<ConflictReport>> Conflicts(UserId user, string? after, int limit, CancellationToken cancel) =>
        store.Conflicts(user, after, limit, cancel);

    public ValueTask<ConflictReport?> Conflict(UserId user, string id, CancellationToken cancel) => store.Conflict(user, id, cancel);

    public ValueTask<bool> DeleteConflict(UserId user, string id, CancellationToken cancel) => store.DeleteConflict(user, id, cancel);

    public ValueTask<StoredTotals> TrimReceipts(UserId user, StoredTotals max, StoredTotals kept, CancellationToken cancel) =>
        store.TrimReceipts(user, max, kept, cancel);

    public ValueTask TrimConflicts(UserId user, int keep, CancellationToken cancel) => store.TrimConflicts(user, keep, cancel);

    public ValueTask<List<StoredVersion>> VersionsFrom(
        UserId user, IReadOnlyDictionary<EntityKey, long> oldest, long bytesMax, CancellationToken cancel) =>
        store.VersionsFrom(user, oldest, bytesMax, cancel);

    public ValueTask<List<StoredVersion>> History(UserId user, EntityKey entity, long before, int limit, CancellationToken cancel) =>
        store.History(user, entity, before, limit, cancel);

    public ValueTask<List<StoredVersion>> Versions(UserId user, EntityKey after, long version, int limit, CancellationToken cancel) =>
        store.Versions(user, after, version, limit, cancel);

    public ValueTask<List<StoredVersion>> ChangedSince(UserId user, long sinceMs, EntityKey after, int limit, CancellationToken cancel) =>
        store.ChangedSince(user, sinceMs, after, limit, cancel);

    public ValueTask<(StoredTotals Kept, bool IsDone)> TrimVersions(
        UserId user, long entityBytesMax, long bytesMax, long nowMs, CancellationToken cancel) =>
        store.TrimVersions(user, entityBytesMax, bytesMax, nowMs, cancel);

    public ValueTask<List<DeviceReport>> Devices(UserId user, CancellationToken cancel) => store.Devices(user, cancel);

    public ValueTask<bool> SeeDevice(UserId user, DeviceId device, long lastSeq, int devicesMax, long nowMs, CancellationToken cancel) =>
        store.SeeDevice(user, device, lastSeq, devicesMax, nowMs, cancel);

    public ValueTask<bool> RevokeDevice(UserId user, DeviceId device, long? revokedMs, CancellationToken cancel) =>
        store.RevokeDevice(user, device, revokedMs, cancel);

    public ValueTask SignOut(UserId user, long notBeforeMs, CancellationToken cancel) => store.SignOut(user, notBeforeMs, cancel);

    public ValueTask Erase(UserId user, long nowMs, CancellationToken cancel) => store.Erase(user, nowMs, cancel);

    public ValueTask<bool> StartAbove(UserId user, Revision last, long nowMs, CancellationToken cancel) =>
        store.StartAbove(user, last, nowMs, cancel);

    public ValueTask BumpEpoch(UserId user, CancellationToken cancel) => store.BumpEpoch(user, cancel);
}
