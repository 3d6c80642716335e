using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains;

/// <summary>
/// The ledger of one user as far as it is in memory: loaded when first needed, caught up when another node was faster, dropped when an
/// outcome is unknown. Writes go through the mailbox and are alone; a status asked meanwhile reads under the same lock.
/// </summary>
internal sealed class LedgerCache(UserId user, CoordinatorContext context)
{
    private readonly Lock gate = new();
    private Ledger? ledger;

    public int Count
    {
        get { lock (gate) return ledger?.Count ?? 0; }
    }

    public void Drop()
    {
        lock (gate) ledger = null;
    }

    public async ValueTask<Ledger> Get(CancellationToken cancel)
    {
        lock (gate)
        {
            if (ledger is not null) return ledger;
        }

        return await Reload(cancel);
    }

    /// <summary>Catches up with the store, or starts over where the history is another one.</summary>
    public async ValueTask<Ledger> Refresh(CancellationToken cancel)
    {
        var stale = await Get(cancel);
        var later = await context.Store.Load(user, stale.Last, context.NowMs, cancel);
        if (later.Standing.Epoch != stale.Standing.Epoch || stale.Last.IsAfter(later.Standing.Last)) return await Reload(cancel);
        lock (gate)
        {
            stale.CatchUp(later);
            return stale;
        }
    }

    public void Adopt(Ledger decidedOn, Draft draft)
    {
        lock (gate) decidedOn.Adopt(draft);
    }

    /// <summary>Live entities by type if the ledger has come as far as <paramref name="standing"/>; else null.</summary>
    public IReadOnlyDictionary<string, int>? LiveByType(Standing standing)
    {
        lock (gate)
        {
            var isThere = ledger is not null && ledger.Standing.Epoch == standing.Epoch && !standing.Last.IsAfter(ledger.Last);
            return isThere ? new Dictionary<string, int>(ledger!.LiveByType) : null;
        }
    }

    private async ValueTask<Ledger> Reload(CancellationToken cancel)
    {
        context.Metrics.Reloaded();
        var fresh = new Ledger(await context.Store.Load(user, Revision.Origin, context.NowMs, cancel));
        lock (gate) return ledger = fresh;
    }
}
