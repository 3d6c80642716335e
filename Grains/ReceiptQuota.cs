using Mirubato.Grains.Domain;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>
/// Keeps the stored receipts of one user within <see cref="Limits.ReceiptsMax"/> and <see cref="Limits.ReceiptBytesMax"/>, behind the
/// answers. An activation does not know what was stored before it, so it asks after its first receipt; from then on it counts. A trim makes
/// room for more than one receipt, since it reads all of them.
/// </summary>
internal sealed class ReceiptQuota(UserId user, CoordinatorContext silo)
{
    private static readonly StoredTotals Max = new(Limits.ReceiptsMax, Limits.ReceiptBytesMax);
    private static readonly StoredTotals Kept =
        new(Limits.ReceiptsMax - Limits.ReceiptsPerTrim, Limits.ReceiptBytesMax - Limits.ReceiptBytesPerTrim);

    private StoredTotals added;
    private StoredTotals? stored;
    private bool isTrimming;

    public void Added(IReadOnlyList<Receipt> receipts)
    {
        if (receipts.Count == 0) return;
        foreach (var receipt in receipts) added = added.Add(new StoredTotals(1, receipt.Response.Length));
        if (!isTrimming && (stored is not { } known || known.Add(added).Exceeds(Max))) _ = Trim();
    }

    /// <summary>A trim that failed is made up after the next receipt.</summary>
    private async Task Trim()
    {
        (isTrimming, added, stored) = (true, default, null);
        try
        {
            stored = await silo.Store.TrimReceipts(user, Max, Kept, CancellationToken.None);
        }
        catch (StoreUnavailableException fault)
        {
            silo.Log.StoreFailed(fault.Reason, fault);
        }
        finally
        {
            isTrimming = false;
        }
    }
}
