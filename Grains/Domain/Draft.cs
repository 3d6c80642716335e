namespace Mirubato.Grains.Domain;

/// <summary>
/// Changes on top of other heads that may yet be thrown away. A request drafts over the draft of its group, the group over the ledger;
/// only what the store has held is taken in below.
/// </summary>
internal sealed class Draft(IHeads under) : IHeads
{
    private readonly Dictionary<EntityKey, EntityChange> byEntity = [];
    private readonly List<EntityChange> changes = [];
    private readonly Dictionary<string, int> addedByType = [];

    public Revision Last { get; private set; } = under.Last;

    public Tally Tally { get; private set; } = under.Tally;

    public int LiveTypes { get; private set; } = under.LiveTypes;

    /// <summary>One per entity, by revision.</summary>
    public IReadOnlyList<EntityChange> Changes => changes;

    public Revision TakeRevision() => Last = Last.Next;

    public int LiveCount(string type) => under.LiveCount(type) + addedByType.GetValueOrDefault(type);

    public EntityChange? FindChange(EntityKey entity) => byEntity.GetValueOrDefault(entity);

    public EntityHead? Find(EntityKey entity) => byEntity.TryGetValue(entity, out var change) ? change.Now : under.Find(entity);

    /// <summary>Gives the entity of a change its next state.</summary>
    /// <param name="change">The entity's one change in this draft.</param>
    /// <param name="head">What the entity becomes.</param>
    public void Put(EntityChange change, EntityHead head)
    {
        if (byEntity.TryAdd(change.Entity, change)) changes.Add(change);
        else Invariant.Holds(byEntity[change.Entity] == change, "an entity has one change in a draft");
        var before = change.Tally;
        change.MoveTo(head);
        Add(change.Entity.Type, change.Tally - before);
    }

    /// <summary>Takes in a draft that was made over this one. Its changes become those of this draft.</summary>
    public void Take(Draft over)
    {
        foreach (var change in over.changes)
        {
            Invariant.Holds(byEntity.TryAdd(change.Entity, change), "requests that are committed together change different entities");
            changes.Add(change);
            Add(change.Entity.Type, change.Tally - change.TallyBefore);
        }

        Last = over.Last;
        Invariant.Holds(Tally == over.Tally, "a draft's tally is that of what it changed");
    }

    private void Add(string type, in Tally added)
    {
        Tally += added;
        if (added.Live == 0) return;
        if (LiveCount(type) == 0) LiveTypes++;
        addedByType[type] = addedByType.GetValueOrDefault(type) + added.Live;
        if (LiveCount(type) == 0) LiveTypes--;
    }
}
