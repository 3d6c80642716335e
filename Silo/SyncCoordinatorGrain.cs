using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Orleans.Placement;

namespace Mirubato.Silo;

/// <summary>
/// One user's coordinator in the cluster: a shell around the one every engine runs, with no rule of its own. Its turns are Orleans's, one at
/// a time; calls meet at awaits, where the coordinator, made for threads, expects no less. It holds nothing the store could not give back,
/// and should Orleans ever run two of a user, the fence of each commit makes the second one harmless.
/// </summary>
[GrainType("mirubato-coordinator"), PreferLocalPlacement]
internal sealed class SyncCoordinatorGrain(CoordinatorContext shared, ILogger<SyncCoordinatorGrain> log) : Grain, ISyncCoordinatorGrain
{
    private Audience audience = null!;
    private SyncCoordinator coordinator = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var user = new UserId(this.GetPrimaryKeyString());
        audience = new Audience(user, shared.Time, log);
        coordinator = new SyncCoordinator(user, shared with { Hints = audience });
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        audience.Seats.Tell(room => room.Moved());
        return Task.CompletedTask;
    }

    public Task<CarriedReply> Write(CarriedWrite write, CancellationToken cancel) =>
        Answer(async () => Written(await coordinator.Write(write.Open(), cancel)));

    public Task<CarriedReply> Restore(CarriedCaller caller, string conflictId, CancellationToken cancel) =>
        Answer(async () => Written(await coordinator.Restore(caller.Open(), conflictId, cancel)));

    public Task<CarriedReply> Status(CarriedCaller caller, CancellationToken cancel) =>
        Answer(async () => new CarriedReply(Status: CarriedStatus.Of(await coordinator.Status(caller.Open(), cancel))));

    public Task<CarriedReply> Erase(CancellationToken cancel) =>
        Answer(async () => new CarriedReply(Status: CarriedStatus.Of(await coordinator.Erase(cancel), 0, 0, [])));

    public Task<CarriedReply> Admit(string device, bool allowed, CancellationToken cancel) =>
        Answer(async () => new CarriedReply(Number: await coordinator.Admit(new DeviceId(device), allowed, cancel) ? 1 : 0));

    public Task<CarriedReply> SignOutEverywhere(CancellationToken cancel) =>
        Answer(async () => new CarriedReply(Number: await coordinator.SignOutEverywhere(cancel)));

    public Task<bool> Listen(string process, IRoomObserver room)
    {
        var known = audience.Seats.Renew(process, room);
        coordinator.Attach(audience);
        return Task.FromResult(known);
    }

    public Task Leave(string process, IRoomObserver room)
    {
        audience.Seats.Remove(process, room);
        if (audience.Seats.AreEmpty) coordinator.Detach(audience);
        return Task.CompletedTask;
    }

    private CarriedReply Written(WriteAnswer answer) =>
        new(Answer: CarriedAnswer.Of(answer), HeadEpoch: audience.Head?.Epoch.Value, HeadSeq: audience.Head?.Seq.Number ?? 0);

    /// <summary>
    /// After an outcome that is not known, or a bug, this activation ends and the next one reads everything from the store. The coordinator
    /// has dropped its ledger by then, so those who wait in it are decided on what is stored as well.
    /// </summary>
    private async Task<CarriedReply> Answer(Func<Task<CarriedReply>> decide)
    {
        try
        {
            return await decide();
        }
        catch (StoreUnavailableException fault)
        {
            if (fault.OutcomeUnknown) DeactivateOnIdle();
            return new CarriedReply(fault.Reason, fault.OutcomeUnknown);
        }
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            DeactivateOnIdle();
            throw;
        }
    }
}
