namespace Mirubato.Grains.Domain;

/// <summary>
/// An <see cref="EntityHead"/> as a <see cref="HeadTable"/> keeps it: 128 bytes in an array, without an object of its own. What most heads
/// have is a field; what few have shares one object.
/// </summary>
internal struct PackedHead
{
    private UInt128 fingerprint, previousFingerprint;
    private long seq, version, effectiveMs, clientMs, publishedMs, previousPublishedMs, namedVersion, deletedMs;
    private Extras? extras;
    private int bytes;
    private int device;
    private Has has;

    [Flags]
    private enum Has : byte
    {
        NamedVersion = 1,
        Device = 2,
        DeletedMs = 4,
    }

    /// <summary>Where the key begins.</summary>
    public required int KeyAt { get; init; }

    public required ushort KeyBytes { get; init; }

    public void Pack(EntityHead head, Names devices)
    {
        (fingerprint, previousFingerprint) = (head.Fingerprint.Bits, head.PreviousFingerprint.Bits);
        (seq, version, bytes) = (head.Seq.Number, head.Version, head.Bytes);
        (effectiveMs, clientMs) = (head.EffectiveMs, head.ClientMs);
        (publishedMs, previousPublishedMs) = (head.PublishedMs, head.PreviousPublishedMs);
        (namedVersion, deletedMs) = (head.NamedVersion ?? 0, head.DeletedMs ?? 0);
        device = head.Device is { } one ? devices.NumberOf(one.Value) : 0;
        has = (head.NamedVersion is null ? 0 : Has.NamedVersion) | (head.Device is null ? 0 : Has.Device)
            | (head.DeletedMs is null ? 0 : Has.DeletedMs);
        extras = head.MergedIn is null && head.Echoes.Count == 0 ? null : new Extras(head.MergedIn, head.Echoes);
    }

    public readonly EntityHead Unpack(Names devices) => new()
    {
        Seq = new Revision(seq),
        Version = version,
        EffectiveMs = effectiveMs,
        ClientMs = clientMs,
        MergedIn = extras?.MergedIn,
        PublishedMs = publishedMs,
        NamedVersion = (has & Has.NamedVersion) != 0 ? namedVersion : null,
        Device = (has & Has.Device) != 0 ? new DeviceId(devices[device]) : null,
        Fingerprint = new Fingerprint(fingerprint),
        DeletedMs = (has & Has.DeletedMs) != 0 ? deletedMs : null,
        PreviousFingerprint = new Fingerprint(previousFingerprint),
        PreviousPublishedMs = previousPublishedMs,
        Echoes = extras?.Echoes ?? [],
        Bytes = bytes,
    };

    private sealed record Extras(ChangeTime? MergedIn, IReadOnlyList<Echo> Echoes);
}
