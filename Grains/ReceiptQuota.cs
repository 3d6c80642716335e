using Mirubato.Grains.Domain;

namespace Mirubato.Grains;

/// <summary>
/// Keeps the stored receipts of one user within <see cref="Limits.ReceiptsMax"/> and <see cref="Limits.ReceiptBytesMax"/>, behind the
/// answers. An activation does not know what was stored before it, so it looks after its first receipt, and then after every so many or so
/// much.
/// </summary>
internal sealed class ReceiptQuota(UserId user, CoordinatorContext silo)
{
    private int count = Limits.ReceiptsBetweenTrims;
    private long bytes;

    public void Added(IReadOnlyList<Receipt> receipts)
    {
        if (receipts.Count == 0) return;
        count += receipts.Count;
        foreach (var receipt in receipts) bytes += receipt.Response.Length;
        if (count < Limits.ReceiptsBetweenTrims && bytes < Limits.ReceiptBytesBetweenTrims) return;
        (count, bytes) = (0, 0);
        _ = Trim();
    }

    /// <summary>A trim that failed is made up by the next one.</summary>
    private async Task Trim()
    {
        try
        {
            await silo.Store.TrimReceipts(user, Limits.ReceiptsMax, Limits.ReceiptBytesMax, CancellationToken.None);
        }
        catch (StoreUnavailableException fault)
        {
            silo.Log.StoreFailed(fault.Reason, fault);
        }
    }
}
