using Mirubato.Bench.Ws;

namespace Mirubato.Tests.Bench;

public sealed class ServerFramesTests
{
    private static readonly int[] Lengths = [0, 1, 125, 126, 4_095, 4_096, 65_535, 65_536, 300_000];

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4_096)]
    [InlineData(1_000_000)]
    public void Frames_of_every_size_come_out_whole_however_they_arrive(int packet)
    {
        var wire = Lengths.SelectMany(Framed).ToArray();
        var frames = new ServerFrames();
        var seen = new List<int>();

        for (var at = 0; at < wire.Length;)
        {
            var free = frames.FreeSpace;
            var count = Math.Min(Math.Min(packet, free.Length), wire.Length - at);
            wire.AsSpan(at, count).CopyTo(free.Span);
            frames.Filled(count);
            at += count;
            while (frames.TryNext())
            {
                Assert.Equal(1, frames.Opcode);
                Assert.Equal(Payload(frames.Payload.Length), frames.Payload.ToArray());
                seen.Add(frames.Payload.Length);
            }
        }

        Assert.Equal(Lengths, seen);
    }

    [Theory]
    [InlineData(0x01, 0x00)] // The first part of several.
    [InlineData(0xC1, 0x00)] // Compressed.
    [InlineData(0x81, 0x80)] // Masked, which only a client's may be.
    public void What_this_server_never_sends_is_not_guessed_at(byte first, byte second)
    {
        var frames = new ServerFrames();
        new byte[] { first, second }.CopyTo(frames.FreeSpace);
        frames.Filled(2);

        Assert.Throws<IOException>(() => frames.TryNext());
    }

    private static byte[] Payload(int length) => [.. Enumerable.Range(0, length).Select(place => (byte)(place * 31))];

    private static byte[] Framed(int length)
    {
        byte[] head = length switch
        {
            < 126 => [0x81, (byte)length],
            < 65_536 => [0x81, 126, (byte)(length >> 8), (byte)length],
            _ => [0x81, 127, 0, 0, 0, 0, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length],
        };
        return [.. head, .. Payload(length)];
    }
}
