using System.Buffers.Binary;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Ws;

/// <summary>
/// Frames as a client sends them (RFC 6455, 5.2). The mask is there, as it must be, and is zero: the payload stays as it is,
/// so a template may be filled in its frame, and the server does the same work as for any other mask.
/// </summary>
internal static class ClientFrame
{
    public const byte Text = 0x81;
    public const byte Close = 0x88;
    public const byte Pong = 0x8A;
    private const byte Masked = 0x80;
    private const int MaskBytes = 4;

    public static byte[] Write(byte opcode, ReadOnlySpan<byte> payload) => [.. Head(opcode, payload.Length), .. payload];

    public static RequestTemplate Template(TemplateWriter json) =>
        new TemplateWriter().Raw(Head(Text, json.Position)).Append(json).ToTemplate(items: 1);

    private static byte[] Head(byte opcode, int length)
    {
        if (length < 126)
            return [opcode, (byte)(Masked | length), .. new byte[MaskBytes]];
        var head = new byte[2 + sizeof(ushort) + MaskBytes];
        (head[0], head[1]) = (opcode, Masked | 126);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(2), checked((ushort)length));
        return head;
    }
}
