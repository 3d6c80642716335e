using System.Security.Cryptography;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>Reads in a silo: straight from the store, without a grain call, so that they go on while the cluster mends.</summary>
internal sealed class UserReader(CoordinatorContext silo, IStoreUpkeep upkeep) : IUserReader
{
    public async ValueTask<HistoryState?> Confirmed(Caller caller, CancellationToken cancel)
    {
        if (silo.Active.Find(caller.User) is not { } coordinator) return null;
        await See(caller, Revision.Origin, cancel);
        return coordinator.FindConfirmed(caller);
    }

    public async ValueTask<StatusReport?> ConfirmedStatus(Caller caller, CancellationToken cancel)
    {
        if (silo.Active.Find(caller.User) is not { } coordinator) return null;
        await See(caller, Revision.Origin, cancel);
        return coordinator.FindStatus(caller);
    }

    public async ValueTask<WriteAnswer?> Replayed(ReceiptQuery query, CancellationToken cancel)
    {
        if (silo.Active.Find(query.Caller.User) is not { } coordinator || coordinator.FindCached(query) is not { } first) return null;
        var isOfBody = await BodyWork.Run(
            query.Body.Length, (first, query.Body), asked => asked.first.RawHash.Span.SequenceEqual(SHA256.HashData(asked.Body.Span)));
        if (!isOfBody || !await See(query.Caller, Revision.Origin, cancel)) return null;
        // Access is judged last: the caller may have lost it while the body was hashed.
        if (coordinator.FindCached(query) != first) return null;
        silo.Metrics.Replays.Add(1);
        return new WriteAnswer(RequestRefusal.None, first.Status, first.Response, Replayed: true);
    }

    public async ValueTask<HistoryState> HistoryState(Caller caller, CancellationToken cancel)
    {
        await See(caller, Revision.Origin, cancel);
        return await silo.Store.HistoryState(caller.User, caller.Device, silo.NowMs, cancel);
    }

    public async ValueTask<ReadPage> Read(Caller caller, ReadQuery query, CancellationToken cancel)
    {
        await See(caller, query.AfterKey is null ? query.After : Revision.Origin, cancel);
        return await silo.Store.Read(caller.User, caller.Device, query, silo.NowMs, cancel);
    }

    public async ValueTask<LiveDocuments> Documents(Caller caller, LiveQuery query, CancellationToken cancel)
    {
        await See(caller, Revision.Origin, cancel);
        return await silo.Store.Documents(caller.User, caller.Device, query, silo.NowMs, cancel);
    }

    public ValueTask<List<ConflictReport>> Conflicts(UserId user, string? after, int limit, CancellationToken cancel) =>
        silo.Store.Conflicts(user, after, limit, cancel);

    public async ValueTask<List<VersionReport>> History(HistoryRequest request, CancellationToken cancel)
    {
        // One more than asked for says whether the last one repeats it.
        var states = await silo.Store.History(request.User, request.Entity, request.Before, request.Limit + 1, cancel);
        var reports = states.Select((state, at) => Report(state, IsRepeat(state, states.ElementAtOrDefault(at + 1))));
        return [.. reports.Take(request.Limit)];
    }

    public async ValueTask<List<VersionReport>> Versions(VersionsRequest request, CancellationToken cancel) =>
        [.. (await silo.Store.Versions(request.User, request.After, request.Version, request.Limit, cancel))
            .Select(state => Report(state, isRepeat: false))];

    public ValueTask<Dictionary<UserId, UserState>> States(List<UserId> users, CancellationToken cancel) =>
        silo.Store.States(users, cancel);

    public ValueTask<byte[]> TicketKey(CancellationToken cancel) => upkeep.TicketKey(cancel);

    private static bool IsRepeat(StoredVersion state, StoredVersion? before) =>
        !state.IsDeleted && before?.Version == state.Version - 1 && before.Fingerprint == state.Fingerprint;

    private static VersionReport Report(StoredVersion state, bool isRepeat) => new(
        state.Entity, state.Version, state.PublishedMs, state.ChangeTime.Device, state.ArrivedMs,
        IsPresent: state.ReplacedMs is null, isRepeat, state.Data);

    /// <summary>False: the user has too many devices for this one.</summary>
    private ValueTask<bool> See(Caller caller, Revision cursor, CancellationToken cancel) =>
        caller.Device is { } device ? silo.Devices.See(caller.User, device, cursor, cancel) : new(true);
}
