namespace Mirubato.Grains;

/// <summary>
/// Thins the versions of one user and keeps them within their bounds, behind the answers. An activation does not know what was stored
/// before it, so it looks after its first version, and then after every so many or so much.
/// </summary>
internal sealed class VersionQuota(UserId user, CoordinatorContext silo)
{
    private int count = Limits.VersionsBetweenTrims;
    private long bytes;

    /// <param name="versions">How many a commit has added.</param>
    /// <param name="newBytes">Of what replaced them, which is about as large.</param>
    public void Added(int versions, long newBytes)
    {
        if (versions == 0) return;
        count += versions;
        bytes += newBytes;
        if (count < Limits.VersionsBetweenTrims && bytes < Limits.VersionBytesBetweenTrims) return;
        (count, bytes) = (0, 0);
        _ = Trim();
    }

    /// <summary>A trim that failed is made up by the next one.</summary>
    private async Task Trim()
    {
        try
        {
            await silo.Store.TrimVersions(
                user, silo.Quotas.EntityVersionBytesMax, silo.Quotas.VersionBytesMax, silo.NowMs, CancellationToken.None);
        }
        catch (StoreUnavailableException fault)
        {
            silo.Log.StoreFailed(fault.Reason, fault);
        }
    }
}
