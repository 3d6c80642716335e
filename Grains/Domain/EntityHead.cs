namespace Mirubato.Grains.Domain;

/// <summary>
/// Identity of content: the first 128 bits of the SHA-256 of the canonical document without bookkeeping members (docs/protocol.md,
/// Fingerprint).
/// <see cref="None"/> is that of a tombstone, and never equals another.
/// </summary>
internal readonly record struct Fingerprint(UInt128 Bits)
{
    public static Fingerprint None => default;

    public bool IsNone => Bits == UInt128.Zero;
}

/// <summary>
/// A clock value that devices hold although the server counted its revision as earlier: it was in the future, or raised past one that was.
/// A later change with that client time is an echo of that revision, and its effective time is at most that of the revision.
/// </summary>
/// <param name="Device">
/// The device whose clamped client time this is; null for a published time that the server sent, or an unknown device.
/// </param>
/// <param name="IsMerged">
/// The clock of a change that was merged with another one. It need not be ahead: rule 2 looks for it too.
/// </param>
internal readonly record struct Echo(long ClockMs, long EffectiveMs, DeviceId? Device, bool IsMerged = false);

/// <summary>
/// All that merging needs to know of one entity. The document itself stays in the store. Immutable: a ledger shares it with drafts.
/// </summary>
internal sealed record EntityHead
{
    public required Revision Seq { get; init; }
    public required long Version { get; init; }

    /// <summary>min(clientTime, the server's clock) of the change that won.</summary>
    public required long EffectiveMs { get; init; }

    /// <summary>The clock its writer wrote.</summary>
    public required long ClientMs { get; init; }

    /// <summary>
    /// Of a merged state the time of the change that arrived; its other times are those of the merge. Null for any other state.
    /// </summary>
    public ChangeTime? MergedIn { get; init; }

    /// <summary>The time of the change that made this state.</summary>
    public ChangeTime ChangeTime => MergedIn ?? new ChangeTime(EffectiveMs, ClientMs, Device);

    /// <summary>The <c>updatedAt</c> that is sent; it only grows.</summary>
    public required long PublishedMs { get; init; }

    /// <summary>The version that its writer counts it as (<see cref="Change.LocalVersion"/>).</summary>
    public long? NamedVersion { get; init; }

    public DeviceId? Device { get; init; }

    /// <summary><see cref="Fingerprint.None"/> exactly while <see cref="DeletedMs"/> is set.</summary>
    public Fingerprint Fingerprint { get; init; }

    public long? DeletedMs { get; init; }

    /// <summary>Fingerprint and published time of the revision before this one, to know a stale copy that is sent again.</summary>
    public Fingerprint PreviousFingerprint { get; init; }
    public long PreviousPublishedMs { get; init; }

    /// <summary>At most <see cref="Limits.EchoesMax"/>, oldest first.</summary>
    public IReadOnlyList<Echo> Echoes { get; init; } = [];

    /// <summary>UTF-8 bytes of the stored document; 0 for a tombstone.</summary>
    public int Bytes { get; init; }

    public bool IsDeleted => DeletedMs is not null;

    /// <summary>The same head with these echoes.</summary>
    public EntityHead Remembering(IReadOnlyList<Echo> echoes) => ReferenceEquals(echoes, Echoes) ? this : this with { Echoes = echoes };
}
