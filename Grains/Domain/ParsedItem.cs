namespace Mirubato.Grains.Domain;

/// <summary>One item of a write, read and normalized: all that merging needs of it.</summary>
internal sealed record ParsedItem
{
    /// <summary>
    /// Why it cannot be merged at all; then <see cref="Entity"/> names it as well as can be told, and nothing else is set.
    /// </summary>
    public ItemRefusal Refusal { get; init; }

    public required Change Change { get; init; }

    /// <summary>Null when the type is unknown.</summary>
    public EntityType? Type { get; init; }

    public required EntityKey Entity { get; init; }

    public bool IsDelete { get; init; }

    /// <summary>The client time, Unix ms; null when it has none.</summary>
    public long? ClientMs { get; init; }

    /// <summary>The client time says when this was written; else it is only <c>createdAt</c>, or nothing.</summary>
    public bool HasEditClock { get; init; }

    /// <summary><see cref="Fingerprint.None"/> for a delete.</summary>
    public Fingerprint Fingerprint { get; init; }

    public long? BaseVersion { get; init; }

    /// <summary>What is stored if it wins, and kept if it loses.</summary>
    public OutgoingDocument Document { get; init; } = Empty;

    public bool IsRefused => Refusal is not ItemRefusal.None;

    private static readonly OutgoingDocument Empty = new(default, []);
}
