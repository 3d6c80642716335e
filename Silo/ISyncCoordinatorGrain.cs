using Orleans.Concurrency;

namespace Mirubato.Silo;

/// <summary>
/// The coordinator of one user (the key) as the cluster knows it: what needs the user's ledger, or all of the user's rooms. Calls interleave,
/// because the coordinator behind them serves many threads at once in the local engine, and calls must meet there to share a commit.
/// An alias and its parameters never change, for silos of two releases speak with each other: add another call.
/// </summary>
[Alias("mirubato.coordinator")]
internal interface ISyncCoordinatorGrain : IGrainWithStringKey
{
    [AlwaysInterleave, Alias("write")] Task<CarriedReply> Write(CarriedWrite write, CancellationToken cancel);
    [AlwaysInterleave, Alias("restore")] Task<CarriedReply> Restore(CarriedCaller caller, string conflictId, CancellationToken cancel);
    [AlwaysInterleave, Alias("status")] Task<CarriedReply> Status(CarriedCaller caller, CancellationToken cancel);
    [AlwaysInterleave, Alias("erase")] Task<CarriedReply> Erase(CancellationToken cancel);

    /// <summary>The number is 1 when there is such a device, else 0.</summary>
    [AlwaysInterleave, Alias("admit")] Task<CarriedReply> Admit(string device, bool allowed, CancellationToken cancel);
    [AlwaysInterleave, Alias("sign-out")] Task<CarriedReply> SignOutEverywhere(CancellationToken cancel);

    /// <summary>The room of a process listens, still or anew. False when this activation did not know it: it may have missed something.</summary>
    [AlwaysInterleave, Alias("listen")] Task<bool> Listen(string process, IRoomObserver room);
    [AlwaysInterleave, Alias("leave")] Task Leave(string process, IRoomObserver room);
}

/// <summary>
/// The room of one user in one process, however many sockets are in it. Nobody waits for it and anything may be lost on the way: a room
/// reads from the store what does not follow on what it has announced.
/// </summary>
[Alias("mirubato.room")]
internal interface IRoomObserver : IGrainObserver
{
    [OneWay, Alias("announce")] Task Announce(CarriedAnnouncement announcement);
    [OneWay, Alias("hear")] Task Hear(string hints);

    /// <summary>The activation ends and forgets its rooms: the next one has to be told of this one.</summary>
    [OneWay, Alias("moved")] Task Moved();
}
