using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Mirubato.Grains.Domain;

/// <summary>
/// A sum over live entities that two replicas compare at equal revisions. Each entity adds the first 16 bytes, big-endian, of
/// SHA-256(type, 0, id, 0, version in decimal); the sum is mod 2^128, so a change costs one subtraction and one addition.
/// </summary>
internal static class Digest
{
    public static UInt128 From(EntityKey entity, long version)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(
            Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{entity.Type}\0{entity.Id}\0{version}")), hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    public static UInt128 From(EntityKey entity, EntityHead? head) =>
        head is null or { IsDeleted: true } ? UInt128.Zero : From(entity, head.Version);
}
