namespace Mirubato.Grains.Interfaces;

/// <summary>The person whose devices are kept equal: the <c>sub</c> of a token. A <see cref="UsableId"/>.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.user-id")]
public readonly record struct UserId([property: Id(0)] string Value)
{
    public override string ToString() => Value;
}

/// <summary>One installation of an app, in the client's own word (<c>X-Device-ID</c>). A <see cref="UsableId"/>.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.device-id")]
public readonly record struct DeviceId([property: Id(0)] string Value)
{
    public override string ToString() => Value;
}

/// <summary>
/// Names one entity of one user. <paramref name="Type"/> is a lower_snake name, <paramref name="Id"/> a <see cref="UsableId"/>.
/// </summary>
[GenerateSerializer, Immutable, Alias("mirubato.entity-key")]
public readonly record struct EntityKey([property: Id(0)] string Type, [property: Id(1)] string Id)
{
    public override string ToString() => $"{Type}/{Id}";
}

/// <summary>A point in one user's history. Each committed change takes the next one.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.revision")]
public readonly record struct Revision([property: Id(0)] long Number)
{
    public static readonly Revision Origin = new(0);

    public Revision Next => new(checked(Number + 1));

    public bool IsAfter(Revision other) => Number > other.Number;

    public override string ToString() => Number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>One life of a user's history: 128 random bits, so that a token of another user, or of before a restore, never fits.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.epoch")]
public readonly record struct Epoch([property: Id(0)] Guid Value)
{
    public override string ToString() => Value.ToString("n");
}

/// <summary>What a client hands back to get only what it lacks: <c>&lt;epoch&gt;.&lt;seq&gt;</c>.</summary>
/// <param name="Floor">
/// In the middle of a paged pull from the start: the horizon when it began, sent as a third part. Tombstones up to there concern nobody who
/// started from nothing, so the paging may go on below the horizon, as long as that has not risen.
/// </param>
[GenerateSerializer, Immutable, Alias("mirubato.sync-token")]
public readonly record struct SyncToken(
    [property: Id(0)] Epoch Epoch, [property: Id(1)] Revision Seq, [property: Id(2)] Revision Floor = default)
{
    private const int EpochDigits = 32;

    /// <summary>A token nobody was given: the client starts over.</summary>
    public static SyncToken Start => default;

    /// <summary>
    /// Text that is no token at all reads as <see cref="Start"/>: existing clients send any string, and to start over is always safe.
    /// </summary>
    public static SyncToken Parse(string? text)
    {
        var parts = text?.Split('.') ?? [];
        return parts.Length is 2 or 3
            && parts[0].Length == EpochDigits && Guid.TryParseExact(parts[0], "n", out var epoch)
            && TryRevision(parts[1], out var seq)
            && TryRevision(parts.Length == 3 ? parts[2] : "0", out var floor)
            ? new SyncToken(new Epoch(epoch), seq, floor)
            : Start;
    }

    /// <summary>The same client further on: past its floor it needs none.</summary>
    public SyncToken At(Revision seq) => new(Epoch, seq, Floor.IsAfter(seq) ? Floor : Revision.Origin);

    public override string ToString() => Floor == Revision.Origin ? $"{Epoch}.{Seq}" : $"{Epoch}.{Seq}.{Floor}";

    private static bool TryRevision(string digits, out Revision revision)
    {
        var isNumber = long.TryParse(
            digits, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number);
        revision = new Revision(number);
        return isNumber;
    }
}
