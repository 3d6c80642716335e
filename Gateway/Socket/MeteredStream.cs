namespace Mirubato.Gateway.Socket;

/// <summary>
/// The stream under a WebSocket. It bounds what the peer may send: frames of every kind and fragments of a message, past which
/// <see cref="OnAbuse"/> is called once and nothing more is read; and bytes, past which it reads more slowly.
/// </summary>
internal sealed class MeteredStream(Stream inner, TimeProvider time) : AsyncStream
{
    private readonly TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FrameMeter meter;
    private double frames = SocketLimits.WireFramesBurst;
    private double bytes = SocketLimits.WireBytesBurst;
    private long refilledAt = time.GetTimestamp();

    /// <summary>Closes the session with the code for abuse.</summary>
    public Action? OnAbuse { get; set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        Refill();
        frames -= meter.Take(buffer.Span[..read]);
        bytes -= read;
        if (frames < 0 || meter.Fragments > SocketLimits.FragmentsMax)
        {
            // The session has the time to say why; then it cuts the connection.
            OnAbuse?.Invoke();
            await over.Task;
            throw new IOException("The peer sent more frames than it may.");
        }

        if (bytes < 0) await Task.Delay(TimeSpan.FromSeconds(-bytes / SocketLimits.WireBytesPerSecond), time, cancellationToken);
        return read;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    protected override void Dispose(bool disposing)
    {
        over.TrySetResult();
        inner.Dispose();
        base.Dispose(disposing);
    }

    private void Refill()
    {
        var seconds = time.GetElapsedTime(refilledAt).TotalSeconds;
        refilledAt = time.GetTimestamp();
        frames = Math.Min(SocketLimits.WireFramesBurst, frames + (seconds * SocketLimits.WireFramesPerSecond));
        bytes = Math.Min(SocketLimits.WireBytesBurst, bytes + (seconds * SocketLimits.WireBytesPerSecond));
    }
}
