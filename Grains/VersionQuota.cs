using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>
/// Thins the versions of one user and keeps them within their bounds, behind the answers. A thinning reads all of them. So the next one
/// waits until a part of what was left has come on top: the cost for each version stays the same, however many there are. An activation
/// does not know what was stored before it, so it looks after its first version.
/// </summary>
internal sealed class VersionQuota(UserId user, CoordinatorContext silo)
{
    private StoredTotals added;
    private StoredTotals next;
    private bool isTrimming;

    /// <param name="versions">How many a commit has added.</param>
    /// <param name="newBytes">Of what replaced them, which is about as large.</param>
    public void Added(int versions, long newBytes)
    {
        if (versions == 0) return;
        added = added.Add(new StoredTotals(versions, newBytes));
        if (!isTrimming && (added.Count >= next.Count || added.Bytes >= next.Bytes)) _ = Trim();
    }

    /// <summary>A trim that failed is made up after the next version.</summary>
    private async Task Trim()
    {
        (isTrimming, added, next) = (true, default, default);
        try
        {
            var kept = await silo.Store.TrimVersions(
                user, silo.Quotas.EntityVersionBytesMax, silo.Quotas.VersionBytesMax, silo.NowMs, CancellationToken.None);
            next = new StoredTotals(
                Math.Max(Limits.VersionsBetweenTrims, kept.Count / Limits.VersionTrimParts),
                Math.Max(Limits.VersionBytesBetweenTrims, kept.Bytes / Limits.VersionTrimParts));
        }
        catch (StoreUnavailableException fault)
        {
            silo.Log.StoreFailed(fault.Reason, fault);
        }

        isTrimming = false;
    }
}
