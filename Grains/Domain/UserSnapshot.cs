namespace Mirubato.Grains.Domain;

/// <summary>What a ledger is built from.</summary>
internal sealed record UserSnapshot(HistoryState HistoryState, HeadTable Heads);

internal sealed record HeadRow(EntityKey Entity, EntityHead Head);
