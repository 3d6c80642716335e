namespace Mirubato.Grains.Domain;

/// <summary>What a ledger is built from.</summary>
internal sealed record UserSnapshot(Standing Standing, IReadOnlyList<HeadRow> Heads);

internal sealed record HeadRow(EntityKey Entity, EntityHead Head);
