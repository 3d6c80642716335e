using System.Collections.Concurrent;

namespace Mirubato.Gateway;

/// <summary>
/// References to the grains of users. The factory looks up the kind of a grain by the attributes of its interface at each call, which
/// takes more CPU time than the call to the grain. Here it does so once for each interface.
/// </summary>
internal sealed class UserGrains(IGrainFactory grains)
{
    private readonly ConcurrentDictionary<Type, Kind> kinds = new();

    public TGrain For<TGrain>(UserId user) where TGrain : IGrainWithStringKey
    {
        if (kinds.TryGetValue(typeof(TGrain), out var kind))
            return (TGrain)grains.GetGrain(GrainId.Create(kind.Grain, user.Value), kind.Interface);
        var grain = grains.GetGrain<TGrain>(user.Value);
        if (grain is GrainReference reference) kinds[typeof(TGrain)] = new Kind(reference.GrainId.Type, reference.InterfaceType);
        return grain;
    }

    private sealed record Kind(GrainType Grain, GrainInterfaceType Interface);
}
