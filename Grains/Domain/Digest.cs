using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Mirubato.Grains.Domain;

/// <summary>
/// A sum over live entities that two replicas compare at equal revisions. Each entity adds the first 16 bytes, big-endian, of
/// SHA-256(type, 0, id, 0, version in decimal); the sum is mod 2^128, so a change costs one subtraction and one addition.
/// </summary>
internal static class Digest
{
    private const int DigitsMax = 20;

    public static UInt128 From(EntityKey entity, EntityHead? head) =>
        head is null or { IsDeleted: true } ? UInt128.Zero : From(entity, head.Version);

    public static UInt128 From(EntityKey entity, long version) =>
        From(KeyBytes.Encode(entity, stackalloc byte[KeyBytes.Usual]), version);

    /// <param name="key">As <see cref="KeyBytes"/> encodes it.</param>
    public static UInt128 From(ReadOnlySpan<byte> key, long version)
    {
        Span<byte> end = stackalloc byte[1 + DigitsMax];
        end[0] = 0;
        version.TryFormat(end[1..], out var digits, provider: CultureInfo.InvariantCulture);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Sha256.Hash(key, end[..(1 + digits)], hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
