namespace Mirubato.Grains.Domain;

/// <summary>
/// The heads of one user's entities, as of one point in the user's history. With several nodes it is a cache: what it decides counts only
/// if the store still stands where this ledger does.
/// </summary>
internal sealed class Ledger : IHeads
{
    private readonly HeadTable heads;

    /// <summary>Takes the heads of the snapshot over.</summary>
    public Ledger(UserSnapshot snapshot)
    {
        (HistoryState, heads) = (snapshot.HistoryState, snapshot.Heads);
        AssertDigest();
    }

    /// <summary>Epoch, head and digest as of this ledger; what else may change without a revision is as of its last load.</summary>
    public HistoryState HistoryState { get; private set; }

    public SyncToken Position => HistoryState.Token;

    public Revision Last => HistoryState.Last;

    public Tally Tally => heads.Tally;

    public int Count => heads.Count;

    public int LiveTypes => LiveByType.Count;

    public IReadOnlyDictionary<string, int> LiveByType => heads.LiveByType;

    public int LiveCount(string type) => LiveByType.GetValueOrDefault(type);

    public EntityHead? Find(EntityKey entity) => heads.Find(entity);

    /// <summary>Takes in what the store has held.</summary>
    public void Adopt(Draft draft)
    {
        foreach (var change in draft.Changes) heads.Put(change);
        HistoryState = HistoryState with { Last = draft.Last, Digest = Tally.Digest };
        Invariant.Holds(Tally == draft.Tally, "a ledger's tally is that of the draft it adopted");
    }

    /// <summary>Takes in what other nodes have committed since. Only within one epoch; a new one needs a new ledger.</summary>
    public void CatchUp(UserSnapshot later)
    {
        Invariant.Holds(later.HistoryState.Epoch == HistoryState.Epoch, "a ledger catches up within its epoch");
        foreach (var (entity, head) in later.Heads) heads.Put(entity, head);
        HistoryState = later.HistoryState;
        AssertDigest();
    }

    private void AssertDigest() => Invariant.Holds(Tally.Digest == HistoryState.Digest, "the digest of the heads is the stored one");
}
