using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Mirubato.Gateway.Wire;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Tests.Engine;

/// <summary>Finds the coordinators of one silo: the plain classes, or a cluster.</summary>
internal interface INode
{
    Coordinator For(UserId user);
}

/// <summary>The coordinators of one silo without Orleans around them, each on an exclusive scheduler.</summary>
internal sealed class PlainNode : INode, IDisposable
{
    private readonly ConcurrentDictionary<UserId, (SyncCoordinatorGrain Grain, OnTurns Turns)> all = new();

    public PlainNode(
        IUserStore store, TimeProvider time, Quotas? quotas = null, IGatewayObserver? gateway = null, SyncMetrics? metrics = null) =>
        Silo = new CoordinatorContext(
            store, new WireAnswers(), quotas ?? new Quotas(), time, metrics ?? new SyncMetrics(), NullLogger<SyncCoordinatorGrain>.Instance)
        {
            LocalGateway = gateway,
        };

    public CoordinatorContext Silo { get; }

    public Coordinator For(UserId user) => new(user, GetOrAdd(user).Turns, new UserReader(Silo, null!));

    public SyncCoordinatorGrain Grain(UserId user) => GetOrAdd(user).Grain;

    public void Dispose()
    {
        Silo.Devices.Dispose();
        Silo.Metrics.Dispose();
    }

    private (SyncCoordinatorGrain Grain, OnTurns Turns) GetOrAdd(UserId user) => all.GetOrAdd(user, _ =>
    {
        var turns = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;
        var grain = new SyncCoordinatorGrain(user, Silo);
        Silo.Active.Add(grain, turns);
        return (grain, new OnTurns(grain, turns));
    });
}
