using System.Net.WebSockets;
using Mirubato.Gateway.Socket;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

public sealed class FrameMeterTests
{
    [Fact]
    public void Frames_are_counted_however_their_bytes_come() => Property.HoldsForSchedules(schedule =>
    {
        var random = new Random(schedule.Count == 0 ? 0 : schedule[0]);
        var bytes = new MemoryStream();
        foreach (var step in schedule) Write(bytes, new Random(step));

        var (meter, counted, rest) = (new FrameMeter(), 0, bytes.ToArray().AsMemory());
        while (!rest.IsEmpty)
        {
            var some = Math.Min(rest.Length, random.Next(1, 70_000));
            counted += meter.Take(rest.Span[..some]);
            rest = rest[some..];
        }

        Assert.Equal(schedule.Count, counted);
    }, runs: 50, steps: 30);

    [Fact]
    public void Fragments_are_those_of_one_message_and_control_frames_between_them_are_none()
    {
        var meter = new FrameMeter();
        meter.Take([0x01, 0x80, 0, 0, 0, 0]);
        meter.Take([0x00, 0x80, 0, 0, 0, 0]);
        meter.Take([0x89, 0x80, 0, 0, 0, 0]);
        Assert.Equal(2, meter.Fragments);
        meter.Take([0x80, 0x80, 0, 0, 0, 0]);
        Assert.Equal(0, meter.Fragments);
    }

    private static void Write(MemoryStream to, Random random)
    {
        var length = random.Next(4) switch
        {
            0 => 0,
            1 => random.Next(126),
            2 => random.Next(126, 65_536),
            _ => random.Next(65_536, 100_000),
        };
        var isMasked = random.Next(2) == 0;
        to.WriteByte((byte)((random.Next(2) << 7) | (random.Next(2) == 0 ? (int)WebSocketMessageType.Binary : 0x9)));
        to.WriteByte((byte)((isMasked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127)));
        for (var shift = length < 126 ? -8 : length < 65_536 ? 8 : 56; shift >= 0; shift -= 8) to.WriteByte((byte)((long)length >> shift));
        if (isMasked) to.Write(new byte[4]);
        to.Write(new byte[length]);
    }
}
