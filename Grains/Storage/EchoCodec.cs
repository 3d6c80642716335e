using System.Buffers.Binary;
using System.Text;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage;

/// <summary>
/// The echoes of a head as both stores keep them. Per echo: clock and effective time (8 bytes each, big endian), the length of the device
/// id in UTF-8 bytes plus one (2 bytes; 0 means none; the highest bit says that it is the clock of a merged change), the id. No echoes are
/// NULL: clocks are rarely ahead.
/// </summary>
internal static class EchoCodec
{
    private const int FixedBytes = 18;
    private const int Merged = 0x8000;

    public static byte[]? Write(IReadOnlyList<Echo> echoes)
    {
        if (echoes.Count == 0) return null;

        var bytes = new byte[echoes.Sum(echo => FixedBytes + DeviceBytes(echo))];
        var rest = bytes.AsSpan();
        foreach (var echo in echoes)
        {
            BinaryPrimitives.WriteInt64BigEndian(rest, echo.ClockMs);
            BinaryPrimitives.WriteInt64BigEndian(rest[8..], echo.EffectiveMs);
            var coded = (echo.Device is null ? 0 : DeviceBytes(echo) + 1) | (echo.IsMerged ? Merged : 0);
            BinaryPrimitives.WriteUInt16BigEndian(rest[16..], (ushort)coded);
            rest = rest[FixedBytes..];
            if (echo.Device is { } device) rest = rest[Encoding.UTF8.GetBytes(device.Value, rest)..];
        }

        return bytes;
    }

    public static IReadOnlyList<Echo> Read(ReadOnlySpan<byte> rest)
    {
        var echoes = new List<Echo>(Limits.EchoesMax);
        while (!rest.IsEmpty)
        {
            var coded = BinaryPrimitives.ReadUInt16BigEndian(rest[16..]);
            var length = (coded & ~Merged) - 1;
            var device = length < 0 ? (DeviceId?)null : new DeviceId(Encoding.UTF8.GetString(rest.Slice(FixedBytes, length)));
            var (clockMs, effectiveMs) = (BinaryPrimitives.ReadInt64BigEndian(rest), BinaryPrimitives.ReadInt64BigEndian(rest[8..]));
            echoes.Add(new Echo(clockMs, effectiveMs, device, IsMerged: (coded & Merged) != 0));
            rest = rest[(FixedBytes + Math.Max(0, length))..];
        }

        return echoes;
    }

    private static int DeviceBytes(Echo echo) => echo.Device is { } device ? Encoding.UTF8.GetByteCount(device.Value) : 0;
}
