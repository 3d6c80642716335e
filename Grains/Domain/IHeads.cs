namespace Mirubato.Grains.Domain;

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
