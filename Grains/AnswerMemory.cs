using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>The last answers given under a key. A receipt never changes once it is stored, so a remembered one is as good as the store's.</summary>
internal sealed class AnswerMemory
{
    private readonly Lock gate = new();
    private readonly Dictionary<(WriteScope, string), Receipt> receipts = [];
    private readonly Queue<(WriteScope, string)> order = [];
    private long bytes;

    public Receipt? Find(KeyedBody keyed, long nowMs)
    {
        lock (gate)
        {
            return receipts.TryGetValue((keyed.Scope, keyed.Key), out var receipt) && receipt.ExpiresMs > nowMs ? receipt : null;
        }
    }

    public void Remember(Receipt receipt)
    {
        lock (gate)
        {
            var key = (receipt.Scope, receipt.Key);
            if (receipts.TryGetValue(key, out var old)) bytes -= old.Response.Length;
            else order.Enqueue(key);
            receipts[key] = receipt;
            bytes += receipt.Response.Length;
            while (order.Count > Limits.AnswersRememberedMax || bytes > Limits.AnswerBytesRememberedMax) ForgetOldest();
        }
    }

    public void Clear()
    {
        lock (gate)
        {
            receipts.Clear();
            order.Clear();
            bytes = 0;
        }
    }

    private void ForgetOldest()
    {
        if (receipts.Remove(order.Dequeue(), out var oldest)) bytes -= oldest.Response.Length;
    }
}
