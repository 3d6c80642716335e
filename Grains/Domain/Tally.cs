namespace Mirubato.Grains.Domain;

/// <summary>The sums over a user's entities: live ones, their bytes and digest, and deleted ones.</summary>
internal readonly record struct Tally(int Live, long Bytes, UInt128 Digest, int Tombstones)
{
    /// <summary>What one entity adds; nothing if there is no head of it.</summary>
    public static Tally From(EntityKey entity, EntityHead? head) => head switch
    {
        null => default,
        { IsDeleted: true } => new Tally(0, head.Bytes, UInt128.Zero, 1),
        _ => new Tally(1, head.Bytes, Domain.Digest.From(entity, head.Version), 0),
    };

    /// <summary>What one entity adds.</summary>
    /// <param name="key">As <see cref="KeyBytes"/> encodes it.</param>
    /// <param name="head">Its packed head.</param>
    public static Tally From(ReadOnlySpan<byte> key, in PackedHead head) => head.IsDeleted
        ? new Tally(0, head.Bytes, UInt128.Zero, 1)
        : new Tally(1, head.Bytes, Domain.Digest.From(key, head.Version), 0);

    public static Tally operator +(Tally a, Tally b) =>
        new(a.Live + b.Live, a.Bytes + b.Bytes, unchecked(a.Digest + b.Digest), a.Tombstones + b.Tombstones);

    public static Tally operator -(Tally a, Tally b) =>
        new(a.Live - b.Live, a.Bytes - b.Bytes, unchecked(a.Digest - b.Digest), a.Tombstones - b.Tombstones);
}
