namespace Mirubato.Grains.Domain;

/// <summary>A state of an entity as the store has it: the present one, or one that was replaced.</summary>
/// <param name="EffectiveMs">The effective time of the state as a whole.</param>
/// <param name="ChangeTime">That of the change which made it.</param>
/// <param name="Fingerprint"><see cref="Fingerprint.None"/> for a deleted state.</param>
/// <param name="ArrivedMs">When the server received it, Unix ms; of one user it never decreases from revision to revision.</param>
/// <param name="ReplacedMs">When the server received what replaced it; null: it is the present state.</param>
/// <param name="CreatedMs">When the server first received anything of the entity; 0 for a state that was replaced.</param>
/// <param name="Data">The document; empty for a deleted state.</param>
internal sealed record StoredVersion(
    EntityKey Entity, long Version, long PublishedMs, long EffectiveMs, ChangeTime ChangeTime, Fingerprint Fingerprint, long ArrivedMs,
    long? ReplacedMs, long CreatedMs, ReadOnlyMemory<byte> Data)
{
    public bool IsDeleted => Data.IsEmpty;
}
