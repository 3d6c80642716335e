using System.Buffers;
using System.IO.Pipelines;

namespace Mirubato.Gateway.Socket;

/// <summary>A connection's two pipes as the one stream a WebSocket is made of. Waiting for bytes, it holds no buffer.</summary>
internal sealed class TransportStream(IDuplexPipe transport) : Stream
{
    private volatile bool isOver;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await transport.Input.ReadAsync(cancellationToken);
        if (isOver || result.IsCanceled) throw new IOException("The connection was given up.");
        var count = (int)Math.Min(buffer.Length, result.Buffer.Length);
        var some = result.Buffer.Slice(0, count);
        some.CopyTo(buffer.Span);
        transport.Input.AdvanceTo(some.End);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await transport.Output.WriteAsync(buffer, cancellationToken);
        if (isOver || result.IsCompleted) throw new IOException("The peer is gone.");
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Whoever waits on it is let go. The connection itself is closed by whoever has it.</summary>
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
