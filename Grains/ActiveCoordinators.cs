using System.Collections.Concurrent;

namespace Mirubato.Grains;

/// <summary>
/// The coordinators that are active in this silo, each with the scheduler of its turns: the silo's upkeep must reach the very activation,
/// and a grain call might reach another one of the same user.
/// </summary>
internal sealed class ActiveCoordinators
{
    private readonly ConcurrentDictionary<UserId, Activation> all = new();

    public int Count => all.Count;

    /// <summary>The silo was taken out of service: coordinators that come are handed over as well.</summary>
    public bool IsDraining { get; set; }

    /// <summary>Every coordinator ends once its calls are answered, and is made again where the next call comes from.</summary>
    public void HandOver()
    {
        foreach (var (_, one) in all) Run(one.Coordinator, coordinator => coordinator.HandOver()).Ignore();
    }

    public void Add(SyncCoordinatorGrain coordinator, TaskScheduler turns) => all[coordinator.User] = new Activation(coordinator, turns);

    public void Remove(SyncCoordinatorGrain coordinator)
    {
        if (all.TryGetValue(coordinator.User, out var one) && one.Coordinator == coordinator)
            all.TryRemove(KeyValuePair.Create(coordinator.User, one));
    }

    /// <summary>The user's coordinator, if it is in this silo.</summary>
    public SyncCoordinatorGrain? Find(UserId user) => all.GetValueOrDefault(user)?.Coordinator;

    /// <summary>What all of them hold.</summary>
    public CoordinatorLoad Load()
    {
        var (coordinators, connections, heads, observers, queued) = (0, 0L, 0L, 0L, 0L);
        foreach (var (_, (coordinator, _)) in all)
        {
            coordinators++;
            connections += coordinator.Connections;
            heads += coordinator.Heads;
            observers += coordinator.Observers;
            queued += coordinator.QueuedWrites;
        }

        return new CoordinatorLoad(coordinators, connections, heads, observers, queued);
    }

    public List<SyncCoordinatorGrain> Where(Predicate<SyncCoordinatorGrain> isMeant)
    {
        var found = new List<SyncCoordinatorGrain>();
        foreach (var (_, (coordinator, _)) in all)
        {
            if (isMeant(coordinator)) found.Add(coordinator);
        }

        return found;
    }

    /// <summary>Runs <paramref name="work"/> on the coordinator's turns.</summary>
    public Task Run(SyncCoordinatorGrain coordinator, Action<SyncCoordinatorGrain> work) =>
        all.TryGetValue(coordinator.User, out var one) && one.Coordinator == coordinator
            ? Task.Factory.StartNew(() => work(coordinator), CancellationToken.None, TaskCreationOptions.None, one.Turns)
            : Task.CompletedTask;

    /// <summary>The connections of a silo that was declared dead are gone, for each user.</summary>
    public Task RemoveSilo(string address) =>
        Task.WhenAll(Where(one => one.HasConnections).Select(one => Run(one, coordinator => coordinator.RemoveSilo(address))));

    private sealed record Activation(SyncCoordinatorGrain Coordinator, TaskScheduler Turns);
}

/// <param name="Connections">Of the users of these coordinators, in any process.</param>
/// <param name="Observers">Other processes that are told, counted once for each user.</param>
internal readonly record struct CoordinatorLoad(int Coordinators, long Connections, long Heads, long Observers, long QueuedWrites);
