using System.Collections.Concurrent;
using Mirubato.Gateway.Options;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Http;

/// <summary>Bounds the unpacked bodies that are in memory: all of them together, and the large ones of a user.</summary>
internal sealed class BodyBudget(GatewayOptions options)
{
    /// <summary>Bodies up to here are too small to count.</summary>
    public const int FreeBytes = 64 * 1024;

    /// <summary>From here on a body is large.</summary>
    public const int LargeBytes = 1024 * 1024;

    private readonly ConcurrentDictionary<UserId, int> large = new();
    private long taken;

    public long TakenBytes => Interlocked.Read(ref taken);

    public BodyLease Lease(UserId user) => new(this, user);

    private bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref taken, bytes) <= options.Limits.BodyBudgetBytes) return true;
        Interlocked.Add(ref taken, -bytes);
        return false;
    }

    private bool TryTakeLarge(UserId user)
    {
        var count = large.AddOrUpdate(user, 1, (_, held) => held + 1);
        if (count <= options.Limits.LargeBodiesPerUser) return true;
        ReleaseLarge(user);
        return false;
    }

    private void ReleaseLarge(UserId user)
    {
        // Removed at zero, so that the table holds only users with a body under way.
        if (large.AddOrUpdate(user, 0, (_, held) => held - 1) == 0) large.TryRemove(KeyValuePair.Create(user, 0));
    }

    /// <summary>What one request holds of the budget, given back when the request ends.</summary>
    internal sealed class BodyLease(BodyBudget budget, UserId user) : IDisposable
    {
        private long held;
        private bool isLarge;

        /// <summary>Makes room for a buffer of <paramref name="bytes"/> in place of the one before.</summary>
        public void Grow(long bytes)
        {
            if (bytes > LargeBytes && !isLarge)
            {
                if (!budget.TryTakeLarge(user)) throw new RequestRefusedException(Problem.TooManyLargeBodies);
                isLarge = true;
            }

            if (!budget.TryTake(bytes - held)) throw new RequestRefusedException(Problem.BodyBudgetUsedUp);
            held = bytes;
        }

        public void Dispose()
        {
            Interlocked.Add(ref budget.taken, -held);
            held = 0;
            if (isLarge) budget.ReleaseLarge(user);
            isLarge = false;
        }
    }
}
