namespace Mirubato.Grains.Interfaces;

/// <summary>
/// Reads of one user's data, each of one snapshot of the store. In a silo nothing crosses the cluster; elsewhere a
/// <see cref="ISyncReaderGrain"/> is asked. Every call may throw <see cref="StoreUnavailableException"/>.
/// </summary>
public interface IUserReader
{
    /// <summary>
    /// The head of the history, if the user's coordinator is in this process and the store has confirmed lately that the caller has access.
    /// It takes no query and no call. Null: ask the coordinator. Notes the device as seen.
    /// </summary>
    ValueTask<HistoryState?> Confirmed(Caller caller, CancellationToken cancel);

    /// <summary>The last report of the user's coordinator, on the same terms, and if nothing of it has changed since.</summary>
    ValueTask<StatusReport?> ConfirmedStatus(Caller caller, CancellationToken cancel);

    /// <summary>
    /// The answer that was given to these very bytes under this key, on the same terms. Null: only the coordinator can say, which may know
    /// the key after all.
    /// </summary>
    ValueTask<WriteAnswer?> Replayed(ReceiptQuery query, CancellationToken cancel);

    /// <summary>The head of the history, and whether this caller still has access. Notes the device as seen.</summary>
    ValueTask<HistoryState> HistoryState(Caller caller, CancellationToken cancel);

    /// <summary>A page of stored entities. Notes the device as seen, and how far it says it is.</summary>
    ValueTask<ReadPage> Read(Caller caller, ReadQuery query, CancellationToken cancel);

    /// <summary>All live documents together, while they are few. Notes the device as seen.</summary>
    ValueTask<LiveDocuments> Documents(Caller caller, LiveQuery query, CancellationToken cancel);

    /// <summary>The conflict feed, newest first, from behind <paramref name="after"/> (a conflict id; null: from the start).</summary>
    ValueTask<List<ConflictReport>> Conflicts(UserId user, string? after, int limit, CancellationToken cancel);

    /// <summary>The states of one entity, newest first, the present one included.</summary>
    ValueTask<List<VersionReport>> History(HistoryRequest request, CancellationToken cancel);

    /// <summary>Every state of the user's entities that was replaced, by key and version.</summary>
    ValueTask<List<VersionReport>> Versions(VersionsRequest request, CancellationToken cancel);

    /// <summary>Head, sign-out and revoked devices of many users; unknown users are absent.</summary>
    ValueTask<Dictionary<UserId, UserState>> States(List<UserId> users, CancellationToken cancel);

    /// <summary>The key that tickets are signed with: the same in every process over one store.</summary>
    ValueTask<byte[]> TicketKey(CancellationToken cancel);
}

/// <param name="Revoked">Every revoked device.</param>
/// <param name="Devices">How many devices are not revoked.</param>
[GenerateSerializer, Immutable, Alias("mirubato.user-state")]
public sealed record UserState(
    [property: Id(0)] HistoryState HistoryState, [property: Id(1)] List<DeviceId> Revoked, [property: Id(2)] int Devices);
