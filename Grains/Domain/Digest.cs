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
    private const int DigitsMax = 20;
    private const int StackBytesMax = 1024;

    public static UInt128 From(EntityKey entity, long version)
    {
        var most = Encoding.UTF8.GetMaxByteCount(entity.Type.Length + entity.Id.Length + 2) + DigitsMax;
        var text = most <= StackBytesMax ? stackalloc byte[most] : new byte[most];
        var end = Append(text, 0, entity.Type);
        end = Append(text, end, entity.Id);
        version.TryFormat(text[end..], out var digits, provider: CultureInfo.InvariantCulture);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..(end + digits)], hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    public static UInt128 From(EntityKey entity, EntityHead? head) =>
        head is null or { IsDeleted: true } ? UInt128.Zero : From(entity, head.Version);

    private static int Append(Span<byte> to, int at, string text)
    {
        var end = at + Encoding.UTF8.GetBytes(text, to[at..]);
        to[end] = 0;
        return end + 1;
    }
}
