using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>
/// Thins the versions of one user and keeps them within their bounds, behind the answers. A thinning reads all of them. So the next one
/// waits until a part of what was left has come on top: the cost for each version stays the same, however many there are. An activation
/// does not know what was stored before it, so it looks after its first version.
/// </summary>
internal sealed class VersionQuota(UserId user, CoordinatorContext silo)
{
    private static readonly StoredTotals Least = new(Limits.VersionsBetweenTrims, Limits.VersionBytesBetweenTrims);

    private StoredTotals added;
    private StoredTotals next;
    private bool isTrimming;

    /// <param name="versions">What a commit has added.</param>
    public void Added(StoredTotals versions)
    {
        if (versions.Count == 0) return;
        added = added.Add(versions);
        if (!isTrimming && (added.Count >= next.Count || added.Bytes >= next.Bytes)) _ = Trim();
    }

    /// <summary>One that failed, or left some that must go as well, is followed by the next as early as may be.</summary>
    private async Task Trim()
    {
        (isTrimming, added, next) = (true, default, Least);
        try
        {
            var (kept, isDone) = await silo.Store.TrimVersions(
                user, silo.Quotas.EntityVersionBytesMax, silo.Quotas.VersionBytesMax, silo.NowMs, CancellationToken.None);
            if (!isDone) return;
            next = new StoredTotals(
                Math.Max(Least.Count, kept.Count / Limits.VersionTrimParts), Math.Max(Least.Bytes, kept.Bytes / Limits.VersionTrimParts));
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
