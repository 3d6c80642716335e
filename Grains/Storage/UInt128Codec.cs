using System.Buffers.Binary;
using System.Security.Cryptography;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

/// <summary>128 bits as both stores keep them: 16 bytes, big endian; no fingerprint is NULL.</summary>
internal static class UInt128Codec
{
    public static byte[] Encode(UInt128 bits)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, bits);
        return bytes;
    }

    public static byte[]? Encode(Fingerprint fingerprint) => fingerprint.IsNone ? null : Encode(fingerprint.Bits);

    public static UInt128 Decode(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt128BigEndian(bytes);

    /// <summary>All 128 bits random: a UUID of version 4 would fix six of them.</summary>
    public static Epoch FreshEpoch()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return new Epoch(new Guid(bytes));
    }
}
