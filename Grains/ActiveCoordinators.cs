using System.Collections.Concurrent;

namespace Mirubato.Grains;

/// <summary>
/// The coordinators that are active in this silo, each with the scheduler of its turns: the silo's upkeep must reach the very activation,
/// and a grain call might reach another one of the same user.
/// </summary>
internal sealed class ActiveCoordinators
{
    private readonly ConcurrentDictionary<SyncCoordinatorGrain, TaskScheduler> all = new();

    public int Count => all.Count;

    public void Add(SyncCoordinatorGrain coordinator, TaskScheduler turns) => all[coordinator] = turns;

    public void Remove(SyncCoordinatorGrain coordinator) => all.TryRemove(coordinator, out _);

    public List<SyncCoordinatorGrain> Where(Predicate<SyncCoordinatorGrain> isMeant)
    {
        var found = new List<SyncCoordinatorGrain>();
        foreach (var (coordinator, _) in all)
        {
            if (isMeant(coordinator)) found.Add(coordinator);
        }

        return found;
    }

    /// <summary>Runs <paramref name="work"/> on the coordinator's turns.</summary>
    public Task Run(SyncCoordinatorGrain coordinator, Action<SyncCoordinatorGrain> work) => all.TryGetValue(coordinator, out var turns)
        ? Task.Factory.StartNew(() => work(coordinator), CancellationToken.None, TaskCreationOptions.None, turns)
        : Task.CompletedTask;

    /// <summary>The connections of a silo that was declared dead are gone, for each user.</summary>
    public Task RemoveSilo(string address) =>
        Task.WhenAll(Where(one => one.HasConnections).Select(one => Run(one, coordinator => coordinator.RemoveSilo(address))));
}
