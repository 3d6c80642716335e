using System.Collections.Concurrent;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains;

/// <summary>
/// The last responses given under a key. A receipt never changes once it is stored, so a cached one is as good as the store's.
/// It may be searched outside the coordinator's turns.
/// </summary>
internal sealed class IdempotencyCache
{
    private volatile ConcurrentDictionary<(WriteScope, string), Receipt>? receipts;
    private Queue<(WriteScope, string)>? order;
    private long bytes;

    public Receipt? Find(WriteRequest request, long nowMs) => request.Key is { } key ? Find(request.Scope, key, nowMs) : null;

    public Receipt? Find(WriteScope scope, string key, long nowMs) =>
        receipts is { } all && all.TryGetValue((scope, key), out var receipt) && receipt.ExpiresMs > nowMs ? receipt : null;

    public void Add(Receipt receipt)
    {
        // It would make all others go, and then itself.
        if (receipt.Response.Length > Limits.CachedResponseBytesMax) return;
        var key = (receipt.Scope, receipt.Key);
        receipts ??= new(concurrencyLevel: 1, capacity: 7);
        order ??= [];
        if (receipts.TryGetValue(key, out var old)) bytes -= old.Response.Length;
        else order.Enqueue(key);
        receipts[key] = receipt;
        bytes += receipt.Response.Length;
        while (order.Count > Limits.CachedResponsesMax || bytes > Limits.CachedResponseBytesMax) RemoveOldest(receipts, order);
    }

    public void Clear()
    {
        receipts = null;
        order = null;
        bytes = 0;
    }

    private void RemoveOldest(ConcurrentDictionary<(WriteScope, string), Receipt> from, Queue<(WriteScope, string)> order)
    {
        if (from.TryRemove(order.Dequeue(), out var oldest)) bytes -= oldest.Response.Length;
    }
}
