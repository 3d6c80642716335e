namespace Mirubato.Gateway.Socket;

/// <summary>
/// The stream under a WebSocket. It bounds what the peer may send: frames of every kind and fragments of a message, past which
/// <see cref="Session"/> is closed and nothing more is read; and bytes, past which it reads more slowly.
/// </summary>
internal abstract class MeteredStream(TimeProvider time) : AsyncStream
{
    private FrameMeter meter;
    private double frames = SocketLimits.WireFramesBurst;
    private double bytes = SocketLimits.WireBytesBurst;
    private long refilledAt = time.GetTimestamp();
    private TaskCompletionSource? cut;
    private bool isDisposed;

    /// <summary>Whom the bytes are for.</summary>
    public SocketSession? Session { get; set; }

    /// <summary>Counts what was read. False if the reader has to <see cref="Wait"/> before it hands that on.</summary>
    protected bool Take(ReadOnlySpan<byte> received)
    {
        Refill();
        frames -= meter.Take(received);
        bytes -= received.Length;
        return !IsAbused && bytes >= 0;
    }

    protected async ValueTask Wait(CancellationToken cancel)
    {
        if (!IsAbused)
        {
            await Task.Delay(TimeSpan.FromSeconds(-bytes / SocketLimits.WireBytesPerSecond), time, cancel);
            return;
        }

        // The session has the time to say why; then it cuts the connection.
        Session?.Close(CloseCode.Abuse);
        await Cut();
        throw new IOException("The peer sent more frames than it may.");
    }

    protected override void Dispose(bool disposing)
    {
        Volatile.Write(ref isDisposed, true);
        Interlocked.MemoryBarrier();
        Volatile.Read(ref cut)?.TrySetResult();
        base.Dispose(disposing);
    }

    private bool IsAbused => frames < 0 || meter.Fragments > SocketLimits.FragmentsMax;

    /// <summary>Made only now: an idle socket has no use for it.</summary>
    private Task Cut()
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref cut, source);
        if (Volatile.Read(ref isDisposed)) source.TrySetResult();
        return source.Task;
    }

    private void Refill()
    {
        var seconds = time.GetElapsedTime(refilledAt).TotalSeconds;
        refilledAt = time.GetTimestamp();
        frames = Math.Min(SocketLimits.WireFramesBurst, frames + (seconds * SocketLimits.WireFramesPerSecond));
        bytes = Math.Min(SocketLimits.WireBytesBurst, bytes + (seconds * SocketLimits.WireBytesPerSecond));
    }
}
