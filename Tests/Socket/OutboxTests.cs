using Mirubato.Gateway.Socket;

namespace Mirubato.Tests.Sockets;

public sealed class OutboxTests
{
    /// <summary>Found by the fault suite: a socket that fell behind just after its catch-up never received the end of it.</summary>
    [Fact]
    public void Frames_that_were_promised_survive_an_overflow_and_frames_that_the_store_has_do_not()
    {
        var outbox = new Outbox();
        FrameKind[] queued = [FrameKind.Stream, FrameKind.Control, FrameKind.End, FrameKind.Stream, FrameKind.Ack];
        foreach (var kind in queued) outbox.Add(new QueuedFrame(kind, new byte[1], 7));
        var promised = new List<FrameKind>();
        outbox.DropStream(frame => promised.Add(frame.Kind));
        Assert.Equal([FrameKind.End, FrameKind.Ack], promised);
        Assert.Equal(1, outbox.Frames);
        Assert.True(outbox.TryTake(out var kept));
        Assert.Equal(FrameKind.Control, kept.Kind);
    }
}
