using System.Threading.RateLimiting;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Http;

/// <summary>How often one user may call this process: requests, writes by sockets and upgrades take from the same bucket.</summary>
internal sealed class UserRates(LimitOptions limits) : IDisposable
{
    private readonly PartitionedRateLimiter<string> buckets =
        PartitionedRateLimiter.Create<string, string>(user => RateLimitPartition.GetTokenBucketLimiter(user, _ => Bucket(limits)));

    /// <summary>False when the user has called too often.</summary>
    public bool TryTake(UserId user)
    {
        using var lease = buckets.AttemptAcquire(user.Value);
        return lease.IsAcquired;
    }

    /// <summary>The user's bucket for the framework's middleware.</summary>
    public RateLimiter Find(string user) => new UserBucket(buckets, user);

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
            QueueLimit = 0,
            AutoReplenishment = true,
        };
    }

    /// <summary>It holds nothing itself, so that the middleware may forget it at any time.</summary>
    private sealed class UserBucket(PartitionedRateLimiter<string> buckets, string user) : RateLimiter
    {
        public override TimeSpan? IdleDuration => TimeSpan.MaxValue;

        public override RateLimiterStatistics? GetStatistics() => buckets.GetStatistics(user);

        protected override RateLimitLease AttemptAcquireCore(int permitCount) => buckets.AttemptAcquire(user, permitCount);

        protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken) =>
            buckets.AcquireAsync(user, permitCount, cancellationToken);
    }
}
