using Mirubato.Grains;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Engine;

/// <summary>A coordinator and the reads beside it, as the Gateway calls them.</summary>
internal sealed class Coordinator(
    UserId user, ISyncCoordinatorGrain grain, IUserStatusGrain status, IUserConnectionsGrain connections, IUserReader reader)
{
    public Coordinator(UserId user, OnTurns turns, IUserReader reader)
        : this(user, turns, turns, turns, reader)
    {
    }

    public ISyncCoordinatorGrain Grain => grain;

    public IUserConnectionsGrain Connections => connections;

    public IUserReader Reader => reader;

    public async ValueTask<WriteAnswer> Write(WriteRequest request, CancellationToken cancel) =>
        (await grain.Write(request)).ValueOrThrow();

    public ValueTask<WriteAnswer?> Replayed(WriteRequest request, CancellationToken cancel) =>
        reader.Replayed(new ReceiptQuery(request.Caller, request.Scope, request.Key!, request.Body), cancel);

    public async ValueTask<WriteAnswer> FindReceipt(ReceiptQuery query, CancellationToken cancel) =>
        (await grain.FindReceipt(query)).ValueOrThrow();

    public async ValueTask<WriteAnswer> Restore(Caller caller, string id, CancellationToken cancel) =>
        (await grain.Restore(new RestoreRequest(caller, id))).ValueOrThrow();

    public async ValueTask<bool> Dismiss(string id, CancellationToken cancel) =>
        (await grain.Dismiss(new DismissRequest(id))).ValueOrThrow();

    public async ValueTask<HistoryState> HistoryState(Caller caller, CancellationToken cancel) =>
        await reader.Confirmed(caller, cancel) ?? (await status.HistoryState(caller)).ValueOrThrow();

    public async ValueTask<StatusReport> Status(Caller caller, CancellationToken cancel) =>
        await reader.ConfirmedStatus(caller, cancel) ?? (await status.Status(caller)).ValueOrThrow();

    public async ValueTask<List<DeviceReport>> Devices(CancellationToken cancel) => (await status.Devices()).ValueOrThrow();

    public async ValueTask<bool> Revoke(DeviceId device, bool revoked, CancellationToken cancel) =>
        (await grain.Revoke(new RevokeRequest(device, revoked))).ValueOrThrow();

    public async ValueTask<long> SignOutEverywhere(CancellationToken cancel) => (await grain.SignOutEverywhere()).ValueOrThrow();

    public async ValueTask<HistoryState> Erase(CancellationToken cancel) => (await grain.Erase()).ValueOrThrow();

    public ValueTask<ReadPage> Read(Caller caller, ReadQuery query, CancellationToken cancel) => reader.Read(caller, query, cancel);

    public ValueTask<List<ConflictReport>> Conflicts(string? after, int limit, CancellationToken cancel) =>
        reader.Conflicts(user, after, limit, cancel);
}

/// <summary>The calls of one coordinator on turns of its own, as Orleans would run them: one at a time, interleaved at awaits.</summary>
internal sealed class OnTurns(SyncCoordinatorGrain coordinator, TaskScheduler turns)
    : ISyncCoordinatorGrain, IUserStatusGrain, IUserConnectionsGrain
{
    public Task<Reply<WriteAnswer>> Write(WriteRequest request) => Run(() => coordinator.Write(request));

    public Task<Reply<WriteAnswer>> FindReceipt(ReceiptQuery query) => Run(() => coordinator.FindReceipt(query));

    public Task<Reply<WriteAnswer>> Restore(RestoreRequest request) => Run(() => coordinator.Restore(request));

    public Task<Reply<WriteAnswer>> RestoreVersion(RestoreVersionRequest request) => Run(() => coordinator.RestoreVersion(request));

    public Task<Reply<RewindReport>> Rewind(RewindRequest request) => Run(() => coordinator.Rewind(request));

    public Task<Reply<bool>> Dismiss(DismissRequest request) => Run(() => coordinator.Dismiss(request));

    public Task<Reply<HistoryState>> HistoryState(Caller caller) => Run(() => coordinator.HistoryState(caller));

    public Task<Reply<StatusReport>> Status(Caller caller) => Run(() => coordinator.Status(caller));

    public Task<Reply<List<DeviceReport>>> Devices() => Run(coordinator.Devices);

    public Task<Reply<bool>> Revoke(RevokeRequest request) => Run(() => coordinator.Revoke(request));

    public Task<Reply<long>> SignOutEverywhere() => Run(coordinator.SignOutEverywhere);

    public Task<Reply<HistoryState>> Erase() => Run(coordinator.Erase);

    public Task<Reply<bool>> StartAbove(Revision last) => Run(() => coordinator.StartAbove(last));

    public Task<Reply<UserReport>> Inspect() => Run(coordinator.Inspect);

    public Task<Reply<HistoryState>> Resync() => Run(coordinator.Resync);

    public Task<Reply<int>> Disconnect() => Run(coordinator.Disconnect);

    public Task<RosterReply> Report(Roster roster) => Run(() => coordinator.Report(roster));

    public Task IssueTicket(TicketGrant ticket) => Run(async () =>
    {
        await coordinator.IssueTicket(ticket);
        return true;
    });

    public Task<TicketGrant?> RedeemTicket(TicketRedemption redemption) => Run(() => coordinator.RedeemTicket(redemption));

    private Task<T> Run<T>(Func<Task<T>> call) =>
        Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.None, turns).Unwrap();
}
