namespace Mirubato.Gateway;

/// <summary>Reads in a process without a store: a silo is asked, and once more after one went away.</summary>
internal sealed class RemoteUserReader(IGrainFactory grains) : IUserReader, IReadiness
{
    /// <summary>No coordinator is in this process.</summary>
    public ValueTask<HistoryState?> Confirmed(Caller caller, CancellationToken cancel) => new((HistoryState?)null);

    public ValueTask<StatusReport?> ConfirmedStatus(Caller caller, CancellationToken cancel) => new((StatusReport?)null);

    public ValueTask<WriteAnswer?> Replayed(ReceiptQuery query, CancellationToken cancel) => new((WriteAnswer?)null);

    public ValueTask<HistoryState> HistoryState(Caller caller, CancellationToken cancel) =>
        Ask(caller.User, grain => grain.HistoryState(caller), cancel);

    public ValueTask<ReadPage> Read(Caller caller, ReadQuery query, CancellationToken cancel) =>
        Ask(caller.User, grain => grain.Read(new PageRequest(caller, query)), cancel);

    public ValueTask<LiveDocuments> Documents(Caller caller, LiveQuery query, CancellationToken cancel)
    {
        var request = new DocumentsRequest(caller, query with { BytesMax = Math.Min(query.BytesMax, Limits.RemotePageBytesMax) });
        return Ask(caller.User, grain => grain.Documents(request), cancel);
    }

    public ValueTask<List<ConflictReport>> Conflicts(UserId user, string? after, int limit, CancellationToken cancel) =>
        Ask(user, grain => grain.Conflicts(new FeedRequest(user, after, limit)), cancel);

    public ValueTask<List<VersionReport>> History(HistoryRequest request, CancellationToken cancel) =>
        Ask(request.User, grain => grain.History(request), cancel);

    public ValueTask<List<VersionReport>> Versions(VersionsRequest request, CancellationToken cancel) =>
        Ask(request.User, grain => grain.Versions(request), cancel);

    public ValueTask<Dictionary<UserId, UserState>> States(List<UserId> users, CancellationToken cancel) =>
        Ask(users[0], grain => grain.States(new StatesRequest(users)), cancel);

    public ValueTask<byte[]> TicketKey(CancellationToken cancel) => Ask(default, grain => grain.TicketKey(), cancel);

    public ValueTask<bool> Ready(CancellationToken cancel) => Ask(default, grain => grain.Ready(), cancel);

    private async ValueTask<T> Ask<T>(UserId user, Func<ISyncReaderGrain, Task<Reply<T>>> ask, CancellationToken cancel)
    {
        var grain = grains.GetGrain<ISyncReaderGrain>(
            (user.Value?.GetHashCode(StringComparison.Ordinal) & int.MaxValue ?? 0) % ISyncReaderGrain.Keys);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return (await ask(grain).WaitAsync(cancel)).ValueOrThrow();
            }
            catch (Exception gone) when (gone is not StoreUnavailableException && !cancel.IsCancellationRequested)
            {
                if (attempt == 2) throw new StoreUnavailableException(UserCoordinator.Unreachable, outcomeUnknown: false, gone);
            }
        }
    }
}
