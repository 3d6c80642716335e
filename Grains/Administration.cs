using Microsoft.Extensions.DependencyInjection;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>What an operator does to a store by hand.</summary>
public static class Administration
{
    /// <summary>
    /// After a restore from a backup: every user gets a new epoch above all revisions given out before, so that devices resynchronize
    /// instead of trusting revisions that are lost. Servers may run meanwhile. Answers how many users.
    /// </summary>
    public static async Task<long> BumpEpochs(IServiceProvider services, CancellationToken cancel)
    {
        var store = services.GetRequiredService<IStoreUpkeep>();
        await store.Migrate(cancel);
        return await store.BumpEpochs(cancel);
    }
}
