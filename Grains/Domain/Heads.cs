namespace Mirubato.Grains.Domain;

/// <summary>The sums over a user's entities: live ones, their bytes and digest, and deleted ones.</summary>
internal readonly record struct Tally(int Live, long Bytes, UInt128 Digest, int Tombstones)
{
    /// <summary>This tally after <paramref name="entity"/> went from one state to another.</summary>
    public Tally Move(EntityKey entity, EntityHead? from, EntityHead to) => new(
        Live - LivesIn(from) + LivesIn(to),
        Bytes - (from?.Bytes ?? 0) + to.Bytes,
        AddsTheSame(from, to) ? Digest : unchecked(Digest - Domain.Digest.From(entity, from) + Domain.Digest.From(entity, to)),
        Tombstones - DeletedIn(from) + DeletedIn(to));

    /// <summary>This tally with one more entity.</summary>
    public Tally Add(ReadOnlySpan<byte> key, in PackedHead head) => head.IsDeleted
        ? this with { Bytes = Bytes + head.Bytes, Tombstones = Tombstones + 1 }
        : new Tally(Live + 1, Bytes + head.Bytes, unchecked(Digest + Domain.Digest.From(key, head.Version)), Tombstones);

    /// <summary>The true size of a document is settled when it is rendered; that is no reason to hash again.</summary>
    private static bool AddsTheSame(EntityHead? from, EntityHead to) =>
        from?.Version == to.Version && from.IsDeleted == to.IsDeleted;

    private static int DeletedIn(EntityHead? head) => head is { IsDeleted: true } ? 1 : 0;

    private static int LivesIn(EntityHead? head) => head is null or { IsDeleted: true } ? 0 : 1;
}

/// <summary>Heads to decide on: a ledger, or a draft over one.</summary>
internal interface IHeads
{
    Revision Last { get; }

    Tally Tally { get; }

    /// <summary>Entity types with live entities.</summary>
    int LiveTypes { get; }

    int LiveCount(string type);

    EntityHead? Find(EntityKey entity);
}

/// <summary>
/// Changes on top of other heads that may yet be thrown away. A request drafts over the draft of its group, the group over the ledger;
/// only what the store has held is taken in below.
/// </summary>
internal sealed class Draft(IHeads under) : IHeads
{
    private readonly Dictionary<EntityKey, EntityHead> changed = [];
    private readonly Dictionary<string, int> addedByType = [];

    public Revision Last { get; private set; } = under.Last;

    public Tally Tally { get; private set; } = under.Tally;

    public int LiveTypes { get; private set; } = under.LiveTypes;

    public IReadOnlyDictionary<EntityKey, EntityHead> Changed => changed;

    public Revision TakeRevision() => Last = Last.Next;

    public int LiveCount(string type) => under.LiveCount(type) + addedByType.GetValueOrDefault(type);

    public EntityHead? Find(EntityKey entity) => changed.GetValueOrDefault(entity) ?? under.Find(entity);

    public void Put(EntityKey entity, EntityHead head)
    {
        var (before, live) = (Find(entity), Tally.Live);
        Tally = Tally.Move(entity, before, head);
        if (Tally.Live != live) CountLive(entity.Type, Tally.Live - live);
        changed[entity] = head;
    }

    private void CountLive(string type, int added)
    {
        if (LiveCount(type) == 0) LiveTypes++;
        addedByType[type] = addedByType.GetValueOrDefault(type) + added;
        if (LiveCount(type) == 0) LiveTypes--;
    }

    /// <summary>Takes in a draft that was made over this one.</summary>
    public void Take(Draft over)
    {
        foreach (var (entity, head) in over.Changed) Put(entity, head);
        Last = over.Last;
        Invariant.Holds(Tally == over.Tally, "a draft's tally is that of what it changed");
    }
}
