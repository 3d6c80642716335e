using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Local;

namespace Mirubato.Silo;

/// <summary>
/// The Orleans engine as the Gateway sees it. What is decided goes to the user's activation, wherever it is; what is only read goes to the
/// store from here, by the very coordinator of the local engine: pages of documents need not cross the cluster, and go on while it mends.
/// </summary>
internal sealed class OrleansCoordinators(IGrainFactory grains, LocalCoordinators here, RoomsHere rooms, Hearing hearing, TimeProvider time) : ISyncCoordinators
{
    /// <summary>How long an announcement may be on its way before the room looks at the store for it.</summary>
    private static readonly TimeSpan AnnouncedWithin = TimeSpan.FromMilliseconds(500);

    public ISyncCoordinator For(UserId user) => new Proxy(user, this, here, rooms);

    /// <summary>
    /// No answer in time says nothing of what happened, and neither does one that says that the silo is gone: the caller retries under the
    /// same key, and finds its receipt if the commit was made.
    /// </summary>
    private async ValueTask<CarriedReply> Ask(UserId user, Func<ISyncCoordinatorGrain, Task<CarriedReply>> ask, CancellationToken cancel)
    {
        try
        {
            var reply = await ask(grains.GetGrain<ISyncCoordinatorGrain>(user.Value));
            if (reply.Fault is { } reason) throw new StoreUnavailableException(reason, reply.OutcomeUnknown);
            if (reply.Head is { } head) _ = MakeSure(new HeadMoved(user, head));
            return reply;
        }
        catch (Exception gone) when (gone is TimeoutException or OrleansException or ObjectDisposedException || (gone is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new StoreUnavailableException("cluster", outcomeUnknown: true, gone);
        }
    }

    /// <summary>A room here that has not been told by then asks the store. Where there is none, the head is remembered for whoever comes back.</summary>
    private async Task MakeSure(HeadMoved moved)
    {
        if (rooms.Has(moved.User)) await Task.Delay(AnnouncedWithin, time);
        hearing.Hear(moved);
    }

    private sealed class Proxy(UserId user, OrleansCoordinators engine, LocalCoordinators here, RoomsHere rooms) : ISyncCoordinator
    {
        private ISyncCoordinator Here => here.For(user);

        public async ValueTask<WriteAnswer> Write(WriteRequest request, CancellationToken cancel) =>
            (await engine.Ask(user, grain => grain.Write(CarriedWrite.Of(request), cancel), cancel)).Answer!.Open();

        public async ValueTask<WriteAnswer> Restore(Caller caller, string conflictId, CancellationToken cancel) =>
            (await engine.Ask(user, grain => grain.Restore(CarriedCaller.Of(caller), conflictId, cancel), cancel)).Answer!.Open();

        public async ValueTask<StatusReport> Status(Caller caller, CancellationToken cancel) =>
            (await engine.Ask(user, grain => grain.Status(CarriedCaller.Of(caller), cancel), cancel)).Status!.Open();

        public async ValueTask<Standing> Erase(CancellationToken cancel) =>
            (await engine.Ask(user, grain => grain.Erase(cancel), cancel)).Status!.OpenStanding();

        public async ValueTask<bool> Admit(DeviceId device, bool allowed, CancellationToken cancel) =>
            (await engine.Ask(user, grain => grain.Admit(device.Value, allowed, cancel), cancel)).Number == 1;

        public async ValueTask<long> SignOutEverywhere(CancellationToken cancel) =>
            (await engine.Ask(user, grain => grain.SignOutEverywhere(cancel), cancel)).Number;

        public ValueTask<Standing> Standing(Caller caller, CancellationToken cancel) => Here.Standing(caller, cancel);

        public ValueTask<ReadPage> Read(Caller caller, ReadQuery query, CancellationToken cancel) => Here.Read(caller, query, cancel);

        public ValueTask<IReadOnlyList<ConflictReport>> Conflicts(string? after, int limit, CancellationToken cancel) => Here.Conflicts(after, limit, cancel);

        public ValueTask<bool> Dismiss(string conflictId, CancellationToken cancel) => Here.Dismiss(conflictId, cancel);

        public ValueTask<IReadOnlyList<DeviceReport>> Devices(CancellationToken cancel) => Here.Devices(cancel);

        public void Attach(IRoom room) => rooms.Attach(user, room);

        public void Detach(IRoom room) => rooms.Detach(user, room);
    }
}
