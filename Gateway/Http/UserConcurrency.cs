using System.Threading.RateLimiting;

namespace Mirubato.Gateway.Http;

/// <summary>
/// How much of one user is under way in this process. A read holds rows and waits for its client, so that eight are let in and some more
/// wait, which is enough for the tabs of a browser that opens. A long call works for seconds: one is under way, and another one is refused
/// with the advice to retry.
/// </summary>
internal sealed class UserConcurrency([FromKeyedServices(ServerClock.Key)] TimeProvider time) : IDisposable
{
    private readonly PartitionedRateLimiter<UserId> reads = Limiter(Limits.ReadsPerUserMax, Limits.WaitingReadsMax);
    private readonly PartitionedRateLimiter<UserId> longCalls = Limiter(Limits.LongCallsPerUserMax, waiting: 0);

    /// <summary>A lease to read, held until it is disposed.</summary>
    public async ValueTask<IDisposable> Read(UserId user, CancellationToken aborted)
    {
        var lease = reads.AttemptAcquire(user);
        if (lease.IsAcquired) return lease;
        lease.Dispose();
        return await WaitToRead(user, aborted);
    }

    /// <summary>The lease of a call that works through all of a user's documents.</summary>
    public IDisposable Long(UserId user)
    {
        var lease = longCalls.AttemptAcquire(user);
        if (lease.IsAcquired) return lease;
        lease.Dispose();
        throw new RequestRefusedException(
            Problem.RateLimited,
            "Another long call of the user is under way (an export, an erase, or a piece being renamed or dissociated); send this again "
            + "when it is done.");
    }

    /// <summary>
    /// Runs a long call that is not given up with its client: the lease ends when the work does, before its answer goes out, so that a
    /// client may send the next call as soon as it has the answer.
    /// </summary>
    public async ValueTask<T> Long<T>(UserId user, Func<ValueTask<T>> work)
    {
        using var lease = Long(user);
        return await work();
    }

    public void Dispose()
    {
        reads.Dispose();
        longCalls.Dispose();
    }

    private async ValueTask<IDisposable> WaitToRead(UserId user, CancellationToken aborted)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        var waiting = reads.AcquireAsync(user, 1, over.Token);
        await using var patience = time.CreateTimer(
            _ => over.Cancel(), null, TimeSpan.FromMilliseconds(Limits.ReadWaitMs), Timeout.InfiniteTimeSpan);
        try
        {
            var lease = await waiting;
            if (lease.IsAcquired) return lease;
            lease.Dispose();
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            // It waited long enough.
        }

        throw new RequestRefusedException(Problem.TooManyReads);
    }

    private static PartitionedRateLimiter<UserId> Limiter(int underWay, int waiting)
    {
        var options = new ConcurrencyLimiterOptions
        {
            PermitLimit = underWay,
            QueueLimit = waiting,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        };
        return PartitionedRateLimiter.Create<UserId, UserId>(user => RateLimitPartition.GetConcurrencyLimiter(user, _ => options));
    }
}
