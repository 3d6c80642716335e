using System.Collections.Concurrent;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Http;

/// <summary>Bounds the unpacked bodies that are in memory: all of them together, and those of a user in bytes and in large ones.</summary>
internal sealed class BodyBudget(GatewayOptions options)
{
    /// <summary>Bodies up to here are too small to count.</summary>
    public const int FreeBytes = 64 * 1024;

    /// <summary>From here on a body is large.</summary>
    public const int LargeBytes = 1024 * 1024;

    private readonly ConcurrentDictionary<UserId, Share> users = new();
    private long taken;

    public long TakenBytes => Interlocked.Read(ref taken);

    /// <summary>A quarter of the budget, and with a small budget as much as one body of the largest size.</summary>
    public long UserBytesMax { get; } = Math.Max(options.Limits.BodyBudgetBytes / Limits.BodyBudgetParts, Limits.BodyBytesMax + 1);

    public BodyLease Lease(UserId user) => new(this, user);

    private void Take(UserId user, Share more)
    {
        var held = users.AddOrUpdate(user, more, (_, share) => share + more);
        if (held.Bytes > UserBytesMax || held.Large > options.Limits.LargeBodiesPerUser)
        {
            ReleaseShare(user, more);
            throw new RequestRefusedException(Problem.TooManyLargeBodies);
        }

        if (Interlocked.Add(ref taken, more.Bytes) <= options.Limits.BodyBudgetBytes) return;
        Release(user, more);
        throw new RequestRefusedException(Problem.BodyBudgetUsedUp);
    }

    private void Release(UserId user, Share held)
    {
        ReleaseShare(user, held);
        Interlocked.Add(ref taken, -held.Bytes);
    }

    private void ReleaseShare(UserId user, Share held)
    {
        // Removed at zero, so that the table holds only users with a body under way.
        if (users.AddOrUpdate(user, default(Share), (_, share) => share - held) == default)
        {
            users.TryRemove(KeyValuePair.Create(user, default(Share)));
        }
    }

    /// <summary>Of one user: unpacked bytes, and bodies that are large.</summary>
    private readonly record struct Share(long Bytes, int Large)
    {
        public static Share operator +(Share a, Share b) => new(a.Bytes + b.Bytes, a.Large + b.Large);

        public static Share operator -(Share a, Share b) => new(a.Bytes - b.Bytes, a.Large - b.Large);
    }

    /// <summary>What one request holds of the budget, given back when the request ends.</summary>
    internal sealed class BodyLease(BodyBudget budget, UserId user) : IDisposable
    {
        private Share held;

        /// <summary>Makes room for a buffer of <paramref name="bytes"/> in place of the one before.</summary>
        public void Grow(long bytes)
        {
            var more = new Share(bytes, bytes > LargeBytes || held.Large > 0 ? 1 : 0) - held;
            budget.Take(user, more);
            held += more;
        }

        public void Dispose()
        {
            if (held == default) return;
            budget.Release(user, held);
            held = default;
        }
    }
}
