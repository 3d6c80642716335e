using Mirubato.Gateway.Http;
using Mirubato.Gateway.Socket;

namespace Mirubato.Gateway;

internal sealed class Coordinators(UserGrains grains, IUserReader reader, UserSocketsRegistry sockets, UserRates rates)
{
    public UserCoordinator For(UserId user) => new(user, grains, reader, sockets, rates);
}

/// <summary>
/// The coordinator of one user, as the Gateway calls it. Every call may throw <see cref="StoreUnavailableException"/>: nothing was
/// acknowledged then. That no answer came, or that a silo is gone, says nothing about the outcome of a write: the caller retries under the
/// same key, and finds its receipt if the commit was made.
/// </summary>
internal sealed class UserCoordinator(
    UserId user, UserGrains grains, IUserReader reader, UserSocketsRegistry sockets, UserRates rates)
{
    /// <summary>The class of failure when the user's coordinator does not answer.</summary>
    public const string Unreachable = "cluster";

    public async ValueTask<WriteAnswer> Write(WriteRequest request, CancellationToken cancel)
    {
        rates.Charge(user, request.Changes.Count / Limits.ItemsPerPermit);
        var traced = Tracing.CurrentId is { } trace ? request with { Trace = trace } : request;
        var answer = await Decide(one => one.Write(traced), cancel);
        if (answer.Head is { } head) sockets.Expect(user, head);
        return answer;
    }

    /// <summary>The answer that was given to this body under its key, if this process knows it; null says nothing.</summary>
    public ValueTask<WriteAnswer?> FindReplay(ReceiptQuery query, CancellationToken cancel) => reader.Replayed(query, cancel);

    /// <summary>The answer that was given under a key; null if none was.</summary>
    public async ValueTask<WriteAnswer?> FindReceipt(ReceiptQuery query, CancellationToken cancel)
    {
        var answer = await Decide(one => one.FindReceipt(query with { Trace = Tracing.CurrentId }), cancel);
        return answer.Refusal is RequestRefusal.NotFound ? null : answer;
    }

    /// <summary>
    /// The head of the history, without a call if this process knows it, and without a query if the coordinator does. If it does not
    /// answer in time, a snapshot of the store decides.
    /// </summary>
    public async ValueTask<HistoryState> HistoryState(Caller caller, CancellationToken cancel)
    {
        if (await reader.Confirmed(caller, cancel) is { } known) return known;
        try
        {
            return await Ask(one => one.HistoryState(caller), cancel);
        }
        catch (StoreUnavailableException away) when (away.Reason == Unreachable)
        {
            return await reader.HistoryState(caller, cancel);
        }
    }

    /// <summary>What the coordinator reports of the user, without a call if this process knows it.</summary>
    public async ValueTask<StatusReport> Status(Caller caller, CancellationToken cancel) =>
        await reader.ConfirmedStatus(caller, cancel) ?? await Ask(one => one.Status(caller), cancel);

    /// <summary>Has the coordinator decide or do something.</summary>
    public ValueTask<T> Decide<T>(Func<ISyncCoordinatorGrain, Task<Reply<T>>> call, CancellationToken cancel) => Invoke(call, cancel);

    /// <summary>Asks the coordinator what it knows.</summary>
    public ValueTask<T> Ask<T>(Func<IUserStatusGrain, Task<Reply<T>>> call, CancellationToken cancel) => Invoke(call, cancel);

    /// <summary>Closes every connection of the user; they come back. The value is how many there were.</summary>
    public ValueTask<int> Disconnect(CancellationToken cancel) => Invoke((IUserConnectionsGrain grain) => grain.Disconnect(), cancel);

    private async ValueTask<T> Invoke<TGrain, T>(Func<TGrain, Task<Reply<T>>> call, CancellationToken cancel)
        where TGrain : IGrainWithStringKey =>
        (await Reach(() => call(grains.For<TGrain>(user)), cancel, outcomeUnknown: true)).ValueOrThrow();

    public static Task Reach(Func<Task> call, CancellationToken cancel) =>
        Reach(async () =>
        {
            await call();
            return true;
        }, cancel);

    /// <summary>Makes one call to a coordinator. However it fails, the coordinator could not be reached.</summary>
    public static async Task<T> Reach<T>(Func<Task<T>> call, CancellationToken cancel, bool outcomeUnknown = false)
    {
        try
        {
            return await call().WaitAsync(cancel);
        }
        catch (Exception gone) when (!cancel.IsCancellationRequested)
        {
            throw new StoreUnavailableException(Unreachable, outcomeUnknown, gone);
        }
    }
}
