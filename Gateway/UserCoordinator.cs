using Mirubato.Gateway.Socket;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway;

/// <summary>Finds the coordinator of a user, wherever in the cluster it runs.</summary>
internal sealed class Coordinators(IGrainFactory grains, IUserReader reader, UserSocketsRegistry sockets)
{
    public UserCoordinator For(UserId user) => new(user, grains.GetGrain<ISyncCoordinatorGrain>(user.Value), reader, sockets);
}

/// <summary>
/// The coordinator of one user, as the Gateway calls it. Every call may throw <see cref="StoreUnavailableException"/>: nothing was acknowledged
/// then. That no answer came, or that a silo is gone, says nothing about the outcome of a write: the caller retries under the same key, and
/// finds its receipt if the commit was made.
/// </summary>
internal sealed class UserCoordinator(UserId user, ISyncCoordinatorGrain grain, IUserReader reader, UserSocketsRegistry sockets)
{
    /// <summary>The class of failure when the user's coordinator does not answer.</summary>
    public const string Unreachable = "cluster";

    public async ValueTask<WriteAnswer> Write(WriteRequest request, CancellationToken cancel)
    {
        var answer = await Call(() => grain.Write(request), cancel);
        if (answer.Head is { } head) sockets.Expect(user, head);
        return answer;
    }

    public ValueTask<WriteAnswer> Restore(Caller caller, string conflictId, CancellationToken cancel) =>
        Call(() => grain.Restore(new RestoreRequest(caller, conflictId)), cancel);

    public ValueTask<bool> Dismiss(string conflictId, CancellationToken cancel) => Call(() => grain.Dismiss(new DismissRequest(conflictId)), cancel);

    public ValueTask<StatusReport> Status(Caller caller, CancellationToken cancel) => Call(() => grain.Status(caller), cancel);

    public ValueTask<List<DeviceReport>> Devices(CancellationToken cancel) => Call(grain.Devices, cancel);

    public ValueTask<bool> Revoke(DeviceId device, bool revoked, CancellationToken cancel) =>
        Call(() => grain.Revoke(new RevokeRequest(device, revoked)), cancel);

    public ValueTask<long> SignOutEverywhere(CancellationToken cancel) => Call(grain.SignOutEverywhere, cancel);

    public ValueTask<Standing> Erase(CancellationToken cancel) => Call(grain.Erase, cancel);

    /// <summary>Where the history stands, without a query if the coordinator knows. If it does not answer in time, a snapshot of the store decides.</summary>
    public async ValueTask<Standing> Standing(Caller caller, CancellationToken cancel)
    {
        try
        {
            return await Call(() => grain.Standing(caller), cancel);
        }
        catch (StoreUnavailableException away) when (away.Reason == Unreachable)
        {
            return await reader.Standing(caller, cancel);
        }
    }

    private static async ValueTask<T> Call<T>(Func<Task<Reply<T>>> call, CancellationToken cancel)
    {
        Reply<T> reply;
        try
        {
            reply = await call().WaitAsync(cancel);
        }
        catch (Exception gone) when (!cancel.IsCancellationRequested)
        {
            throw new StoreUnavailableException(Unreachable, outcomeUnknown: true, gone);
        }

        return reply.ValueOrThrow();
    }
}
