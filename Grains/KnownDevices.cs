using System.Collections.Concurrent;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains;

/// <summary>
/// The devices seen by this coordinator. A new one is registered before it is served, a known one at most once a minute:
/// being seen must not cost a write per request.
/// </summary>
internal sealed class KnownDevices(UserId user, CoordinatorContext context)
{
    private sealed record Sighting(long StoredMs, long StoredSeq, long SeenMs, long Seq);

    // One lock and few buckets: there are as many of these as active users, most with a device or two.
    private readonly ConcurrentDictionary<DeviceId, Sighting> sightings = new(concurrencyLevel: 1, capacity: 3);

    /// <param name="cursor">The revision the device says it has.</param>
    /// <returns>False when the device is new and the user has as many as allowed.</returns>
    public async ValueTask<bool> See(DeviceId device, Revision cursor, CancellationToken cancel)
    {
        var nowMs = context.NowMs;
        var known = sightings.GetValueOrDefault(device);
        if (known is not null && nowMs - known.StoredMs < Limits.DeviceSeenEveryMs)
        {
            sightings[device] = known with { SeenMs = nowMs, Seq = Math.Max(known.Seq, cursor.Number) };
            return true;
        }

        return await Store(device, Math.Max(known?.Seq ?? 0, cursor.Number), nowMs, cancel);
    }

    /// <summary>Stores what has been seen since, before a report is read.</summary>
    public async ValueTask Flush(CancellationToken cancel)
    {
        foreach (var (device, seen) in sightings)
        {
            if (seen.SeenMs > seen.StoredMs || seen.Seq > seen.StoredSeq) await Store(device, seen.Seq, seen.SeenMs, cancel);
        }
    }

    public void Clear() => sightings.Clear();

    private async ValueTask<bool> Store(DeviceId device, long seq, long seenMs, CancellationToken cancel)
    {
        if (!await context.Store.SeeDevice(user, device, seq, context.Quotas.DevicesMax, seenMs, cancel)) return false;
        sightings[device] = new Sighting(seenMs, seq, seenMs, seq);
        return true;
    }
}
