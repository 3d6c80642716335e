using System.Threading.RateLimiting;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Http;

/// <summary>
/// How often one user may call this process, and how much may come with the calls: requests, writes by sockets and upgrades take from the
/// same bucket, and so do items and large bodies.
/// </summary>
internal sealed class UserRates(LimitOptions limits) : IDisposable
{
    private readonly PartitionedRateLimiter<string> buckets =
        PartitionedRateLimiter.Create<string, string>(user => RateLimitPartition.GetTokenBucketLimiter(user, _ => Bucket(limits)));

    /// <summary>False when the user has called too often.</summary>
    public bool TryTake(UserId user) => TryTake(user.Value, out _);

    /// <summary>False when the user has called too often; then the next call may come after <paramref name="retrySeconds"/>.</summary>
    public bool TryTake(string user, out int retrySeconds)
    {
        using var lease = buckets.AttemptAcquire(user);
        var after = !lease.IsAcquired && lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.Zero;
        retrySeconds = Math.Max(1, (int)Math.Ceiling(after.TotalSeconds));
        return lease.IsAcquired;
    }

    /// <summary>
    /// Counts what a call costs beside the permit that it took. It is not refused for that any more: what the bucket does not hold is owed,
    /// and the user's next call is refused until it is paid. Nobody owes more than a full bucket.
    /// </summary>
    public void Charge(UserId user, int permits)
    {
        if (permits <= 0) return;
        var owing = (int)(buckets.GetStatistics(user.Value)?.CurrentQueuedCount ?? 0);
        var counted = Math.Min(permits, limits.RequestBurst - owing);
        if (counted > 0) _ = buckets.AcquireAsync(user.Value, counted).AsTask();
    }

    /// <summary>Of a user who owes for earlier calls, nothing large is worked on.</summary>
    /// <exception cref="RequestRefusedException">The user owes.</exception>
    public void ThrowIfOwing(UserId user)
    {
        if (buckets.GetStatistics(user.Value) is not { CurrentQueuedCount: > 0 } seen) return;
        var missing = seen.CurrentQueuedCount - seen.CurrentAvailablePermits;
        throw new RequestRefusedException(Problem.RateLimited)
        {
            RetrySeconds = (int)Math.Max(1, missing / limits.RequestsPerSecond),
        };
    }

    public void Dispose() => buckets.Dispose();

    /// <summary>
    /// Refilled ten times a second where that is exact, so that a steady client is not stopped and started once a second.
    /// </summary>
    private static TokenBucketRateLimiterOptions Bucket(LimitOptions limits)
    {
        var often = limits.RequestsPerSecond % 10 == 0;
        return new TokenBucketRateLimiterOptions
        {
            TokenLimit = limits.RequestBurst,
            TokensPerPeriod = often ? limits.RequestsPerSecond / 10 : limits.RequestsPerSecond,
            ReplenishmentPeriod = often ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromSeconds(1),
            QueueLimit = limits.RequestBurst,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            AutoReplenishment = true,
        };
    }
}
