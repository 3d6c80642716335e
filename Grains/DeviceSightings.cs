using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Memory;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>
/// The devices that were seen in this silo lately, by reads and by coordinators. A new one is registered before it is served, a known one
/// at most once a minute: being seen must not cost a write for each request.
/// </summary>
internal sealed class DeviceSightings(IUserStore store, Quotas quotas, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Remembered = TimeSpan.FromMilliseconds(2 * Limits.DeviceSeenEveryMs);

    private readonly MemoryCache users = new(new MemoryCacheOptions { SizeLimit = Limits.DevicesRememberedMax });

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <param name="cursor">The revision the device says it has.</param>
    /// <returns>False when the device is new and the user has as many as allowed.</returns>
    public async ValueTask<bool> See(UserId user, DeviceId device, Revision cursor, CancellationToken cancel)
    {
        var devices = Find(user);
        var nowMs = NowMs;
        var known = devices.GetValueOrDefault(device);
        if (known is not null && nowMs - known.StoredMs < Limits.DeviceSeenEveryMs)
        {
            devices[device] = known with { SeenMs = nowMs, Seq = Math.Max(known.Seq, cursor.Number) };
            return true;
        }

        return await Store(user, device, Math.Max(known?.Seq ?? 0, cursor.Number), nowMs, cancel);
    }

    /// <summary>Stores what has been seen since, before a report is read.</summary>
    public async ValueTask Flush(UserId user, CancellationToken cancel)
    {
        foreach (var (device, seen) in Find(user))
        {
            if (seen.SeenMs > seen.StoredMs || seen.Seq > seen.StoredSeq) await Store(user, device, seen.Seq, seen.SeenMs, cancel);
        }
    }

    public void Forget(UserId user) => users.Remove(user.Value);

    public void Dispose() => users.Dispose();

    /// <summary>A store that can be read but not written does not stop reads: the device is stored at a later call.</summary>
    private async ValueTask<bool> Store(UserId user, DeviceId device, long seq, long seenMs, CancellationToken cancel)
    {
        try
        {
            if (!await store.SeeDevice(user, device, seq, quotas.DevicesMax, seenMs, cancel)) return false;
            Find(user)[device] = new Sighting(seenMs, seq, seenMs, seq);
        }
        catch (StoreUnavailableException fault) when (fault.Reason is not ("unreachable" or "pool"))
        {
            // A caller that goes on to write gets the refusal from the write.
        }

        return true;
    }

    // One lock and few buckets: there are as many of these as active users, most with a device or two.
    private ConcurrentDictionary<DeviceId, Sighting> Find(UserId user) => users.GetOrCreate(user.Value, static entry =>
    {
        entry.SetSize(1).SetSlidingExpiration(Remembered);
        return new ConcurrentDictionary<DeviceId, Sighting>(concurrencyLevel: 1, capacity: 3);
    })!;

    private sealed record Sighting(long StoredMs, long StoredSeq, long SeenMs, long Seq);
}
