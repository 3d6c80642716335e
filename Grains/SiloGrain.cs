using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Mirubato.Grains;

/// <summary>Answers for the silo that it runs in, and takes it out of service.</summary>
[GrainType("mirubato-silo"), Reentrant, OwnSiloPlacement]
internal sealed class SiloGrain(CoordinatorContext silo, IProcessControl process, ILocalSiloDetails details) : Grain, ISiloGrain
{
    public async Task<SiloReport> Report()
    {
        var load = silo.Active.Load();
        return new SiloReport(
            details.Name, silo.Active.IsDraining, load.Coordinators, load.Connections, load.Heads, load.Observers, load.QueuedWrites,
            await process.Report());
    }

    public async Task<SiloReport> Drain(DrainRequest request)
    {
        silo.Active.IsDraining = request.Draining;
        process.Drain(request.Draining);
        if (request.Draining) silo.Active.HandOver();
        return await Report();
    }
}

/// <summary>A grain of which the key is the address of the silo that it runs in.</summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("mirubato.own-silo")]
internal sealed class OwnSilo : PlacementStrategy;

[AttributeUsage(AttributeTargets.Class)]
internal sealed class OwnSiloPlacementAttribute() : PlacementAttribute(new OwnSilo());

internal sealed class OwnSiloDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var key = target.GrainIdentity.Key.ToString();
        return Array.Find(context.GetCompatibleSilos(target), silo => silo.ToParsableString() == key) is { } own
            ? Task.FromResult(own)
            : throw new OrleansException("That silo is not in the cluster.");
    }
}
