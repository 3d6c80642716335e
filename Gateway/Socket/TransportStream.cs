using System.Buffers;
using System.IO.Pipelines;

namespace Mirubato.Gateway.Socket;

/// <summary>A connection's two pipes as the one stream a WebSocket is made of. Waiting for bytes, it holds no buffer.</summary>
internal sealed class TransportStream(IDuplexPipe transport, TimeProvider time) : MeteredStream(time)
{
    private volatile bool isOver;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await transport.Input.ReadAsync(cancellationToken);
        if (isOver || result.IsCanceled) throw new IOException("The connection was given up.");
        var count = (int)Math.Min(buffer.Length, result.Buffer.Length);
        var some = result.Buffer.Slice(0, count);
        some.CopyTo(buffer.Span);
        transport.Input.AdvanceTo(some.End);
        if (!Take(buffer.Span[..count])) await Wait(cancellationToken);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await transport.Output.WriteAsync(buffer, cancellationToken);
        if (isOver || result.IsCompleted) throw new IOException("The peer is gone.");
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends the reads and writes that wait on it. The owner of the connection closes the connection itself.</summary>
    protected override void Dispose(bool disposing)
    {
        if (!isOver)
        {
            isOver = true;
            transport.Input.CancelPendingRead();
            transport.Output.CancelPendingFlush();
        }

        base.Dispose(disposing);
    }
}
