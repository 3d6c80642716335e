using System.Diagnostics;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// An announcement on its way to the sockets of a process: from its commit until the last socket that queued it has written it. If a
/// socket drops it, because it fell behind or closed, the announcement has no end and is not counted; the socket's catch-up is.
/// </summary>
internal sealed class FanOut(GatewayMetrics metrics, TimeProvider time, Announcement announcement, Activity? span)
{
    // One for the announcing itself, so that a fast socket does not end what others have not queued yet.
    private int pending = 1;
    private int queued;

    public void Queued()
    {
        Interlocked.Increment(ref pending);
        Interlocked.Increment(ref queued);
    }

    /// <summary>A socket has written it, or every socket was offered it.</summary>
    public void Done()
    {
        if (Interlocked.Decrement(ref pending) > 0) return;
        span?.SetTag("mirubato.sockets", queued);
        span?.Dispose();
        if (queued == 0 || announcement.CommittedTicks == 0) return;
        var elapsed = TimeSpan.FromTicks(time.GetUtcNow().UtcTicks - announcement.CommittedTicks);
        // The coordinator's clock may be a little ahead of this one.
        metrics.FannedOut(elapsed < TimeSpan.Zero ? TimeSpan.Zero : elapsed);
    }
}
