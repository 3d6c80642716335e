namespace Mirubato.Grains.Domain;

/// <summary>One entity that a request changes: however many of its items name it, it takes one revision and one version.</summary>
internal sealed class EntityChange
{
    private EntityHead? now;

    /// <param name="entity">Which.</param>
    /// <param name="before">Its state before the request; null: it is new.</param>
    /// <param name="seq">The revision it takes.</param>
    public EntityChange(EntityKey entity, EntityHead? before, Revision seq)
    {
        (Entity, Before, Seq) = (entity, before, seq);
        Version = before is null ? seq.Number : before.Version + 1;
        Tally = TallyBefore = Tally.From(entity, before);
    }

    public EntityKey Entity { get; }

    public EntityHead? Before { get; }

    public Revision Seq { get; }

    public long Version { get; }

    /// <summary>What the entity added to the sums before the request.</summary>
    public Tally TallyBefore { get; }

    /// <summary>What it adds now.</summary>
    public Tally Tally { get; private set; }

    /// <summary>Its state by the items so far. There is one once a draft has the change.</summary>
    public EntityHead Now => now ?? throw new InvalidOperationException("A change has no state before its draft puts one.");

    /// <summary>The item whose document is the new state; null when the stored document is announced again.</summary>
    public ParsedItem? Source { get; set; }

    /// <summary>What is to be stored, once it is rendered.</summary>
    public NewRow? Row { get; set; }

    public void MoveTo(EntityHead head)
    {
        // The true size of a document is settled when it is rendered; that is no reason to hash again.
        Tally = now is not null && now.IsDeleted == head.IsDeleted ? Tally with { Bytes = head.Bytes } : Tally.From(Entity, head);
        now = head;
    }
}
