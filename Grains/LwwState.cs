using Mirubato.Grains.Domain;

namespace Mirubato.Grains;

/// <summary>
/// The last-write-wins state of one user: the heads of the user's entities, not their documents. It is loaded by the first call that needs
/// it, caught up when another activation was faster, and dropped when it is idle or an outcome is unknown.
/// </summary>
internal sealed class LwwState(UserId user, CoordinatorContext silo)
{
    private Ledger? ledger;

    public int Count => ledger?.Count ?? 0;

    public void Drop() => ledger = null;

    public async ValueTask<Ledger> Get(CancellationToken cancel) => ledger ?? await Reload(cancel);

    /// <summary>Catches up with the store, or starts over where the history is another one.</summary>
    public async ValueTask<Ledger> Refresh(CancellationToken cancel)
    {
        var stale = await Get(cancel);
        var later = await silo.Store.Load(user, stale.Last, silo.NowMs, cancel);
        if (later.HistoryState.Epoch != stale.HistoryState.Epoch || stale.Last.IsAfter(later.HistoryState.Last))
        {
            return await Reload(cancel);
        }
        stale.CatchUp(later);
        return stale;
    }

    /// <summary>The heads if they have come as far as <paramref name="history"/>; else null.</summary>
    public Ledger? At(HistoryState history) =>
        ledger is not null && ledger.HistoryState.Epoch == history.Epoch && !history.Last.IsAfter(ledger.Last) ? ledger : null;

    private async ValueTask<Ledger> Reload(CancellationToken cancel)
    {
        silo.Metrics.Reloads.Add(1);
        return ledger = new Ledger(await silo.Store.Load(user, Revision.Origin, silo.NowMs, cancel));
    }
}
