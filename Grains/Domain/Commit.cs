namespace Mirubato.Grains.Domain;

/// <summary>What a decision wants stored. The ledger that made it is adopted only after the store held it.</summary>
/// <param name="Expected">The epoch and head it was decided on: the fence.</param>
/// <param name="OldestTokenMs">The oldest issue time among the callers: the commit does nothing if they were signed out.</param>
/// <param name="Devices">The known devices among the callers: the commit does nothing if one was revoked.</param>
/// <param name="Rows">New states, one per entity, by revision.</param>
/// <param name="Replaced">Entities whose stored document another device replaces: copied to the feed as it is before this commit.</param>
/// <param name="Losers">Documents of this request that go to the feed.</param>
/// <param name="Receipts">One per keyed request, also when nothing changes.</param>
internal sealed record Commit(
    SyncToken Expected,
    Revision Last,
    UInt128 Digest,
    long NowMs,
    long OldestTokenMs,
    IReadOnlyList<DeviceId> Devices,
    IReadOnlyList<NewRow> Rows,
    IReadOnlyList<ReplacedDocument> Replaced,
    IReadOnlyList<Loser> Losers,
    IReadOnlyList<Receipt> Receipts)
{
    /// <summary>Entities whose stored state becomes a version, as it is before this commit. Those that are new have none.</summary>
    public IReadOnlyList<EntityKey> Versions { get; init; } = [];
}

internal sealed record NewRow(EntityKey Entity, EntityHead Head, ReadOnlyMemory<byte> Data)
{
    /// <summary>There was nothing before it, or only a tombstone. Told, not stored.</summary>
    public bool IsNew { get; init; }

    /// <summary>The bytes of what was stored of it before, 0 for a tombstone; null: nothing was. Told, not stored.</summary>
    public int? ReplacedBytes { get; init; }
}

/// <param name="Id">See <see cref="ConflictId"/>: one row per entity, fingerprint and reason.</param>
/// <param name="Members">JSON pointers of what was replaced; null: the whole document.</param>
internal sealed record ReplacedDocument(
    string Id, EntityKey Entity, Fingerprint Fingerprint, long WinnerVersion, IReadOnlyList<string>? Members = null);

/// <param name="Members">JSON pointers of what lost; null: the whole document.</param>
internal sealed record Loser(
    string Id, EntityKey Entity, Fingerprint Fingerprint, string Reason, long WinnerVersion, DeviceId? Device,
    ReadOnlyMemory<byte> Document, IReadOnlyList<string>? Members = null);

/// <summary>The answer of an executed write, bound to its key.</summary>
/// <param name="RawHash">SHA-256 of the request's bytes.</param>
/// <param name="RequestHash">What it means, see <see cref="Domain.RequestHash"/>.</param>
internal sealed record Receipt(
    WriteScope Scope, string Key, ReadOnlyMemory<byte> RawHash, ReadOnlyMemory<byte> RequestHash, int Status,
    ReadOnlyMemory<byte> Response, long ExpiresMs);
