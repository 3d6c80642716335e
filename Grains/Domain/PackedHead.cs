namespace Mirubato.Grains.Domain;

/// <summary>
/// An <see cref="EntityHead"/> as a <see cref="HeadTable"/> keeps it: 128 bytes in an array, without an object of its own. What most heads
/// have is a field; what few have shares one object.
/// </summary>
internal readonly record struct PackedHead
{
    private readonly long namedVersion, deletedMs;
    private readonly int devicePlusOne;
    private readonly Has has;

    [Flags]
    private enum Has : byte
    {
        NamedVersion = 1,
        DeletedMs = 2,
    }

    public required UInt128 Fingerprint { get; init; }

    public required UInt128 PreviousFingerprint { get; init; }

    public required long Seq { get; init; }

    public required long Version { get; init; }

    public required long EffectiveMs { get; init; }

    public required long ClientMs { get; init; }

    public required long PublishedMs { get; init; }

    public required long PreviousPublishedMs { get; init; }

    public required int Bytes { get; init; }

    public required long? NamedVersion
    {
        get => (has & Has.NamedVersion) != 0 ? namedVersion : null;
        init => (namedVersion, has) = (value ?? 0, value is null ? has & ~Has.NamedVersion : has | Has.NamedVersion);
    }

    public required long? DeletedMs
    {
        get => (has & Has.DeletedMs) != 0 ? deletedMs : null;
        init => (deletedMs, has) = (value ?? 0, value is null ? has & ~Has.DeletedMs : has | Has.DeletedMs);
    }

    /// <summary>The number of the writer's device in <see cref="HeadTable.Devices"/>.</summary>
    public required int? Device
    {
        get => devicePlusOne == 0 ? null : devicePlusOne - 1;
        init => devicePlusOne = value + 1 ?? 0;
    }

    /// <summary>Null without either.</summary>
    public required Extras? Few { get; init; }

    public bool IsDeleted => (has & Has.DeletedMs) != 0;

    /// <summary>Where the key begins; the table sets it.</summary>
    public int KeyAt { get; init; }

    public ushort KeyBytes { get; init; }

    public static PackedHead From(EntityHead head, Names devices) => new()
    {
        Fingerprint = head.Fingerprint.Bits,
        PreviousFingerprint = head.PreviousFingerprint.Bits,
        Seq = head.Seq.Number,
        Version = head.Version,
        EffectiveMs = head.EffectiveMs,
        ClientMs = head.ClientMs,
        PublishedMs = head.PublishedMs,
        PreviousPublishedMs = head.PreviousPublishedMs,
        Bytes = head.Bytes,
        NamedVersion = head.NamedVersion,
        DeletedMs = head.DeletedMs,
        Device = head.Device is { } device ? devices.NumberOf(device.Value) : null,
        Few = Extras.From(head.MergedIn, head.Echoes),
    };

    public EntityHead Unpack(Names devices) => new()
    {
        Seq = new Revision(Seq),
        Version = Version,
        EffectiveMs = EffectiveMs,
        ClientMs = ClientMs,
        MergedIn = Few?.MergedIn,
        PublishedMs = PublishedMs,
        NamedVersion = NamedVersion,
        Device = Device is { } device ? new DeviceId(devices[device]) : null,
        Fingerprint = new Fingerprint(Fingerprint),
        DeletedMs = DeletedMs,
        PreviousFingerprint = new Fingerprint(PreviousFingerprint),
        PreviousPublishedMs = PreviousPublishedMs,
        Echoes = Few?.Echoes ?? [],
        Bytes = Bytes,
    };

    /// <summary>What few heads have.</summary>
    internal sealed record Extras(ChangeTime? MergedIn, IReadOnlyList<Echo> Echoes)
    {
        public static Extras? From(ChangeTime? mergedIn, IReadOnlyList<Echo> echoes) =>
            mergedIn is null && echoes.Count == 0 ? null : new Extras(mergedIn, echoes);
    }
}
