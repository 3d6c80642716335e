using Mirubato.Grains.Storage.D1;

namespace Mirubato.Grains;

/// <summary>Writes rows through their users' coordinators, some users at a time, or only checks them.</summary>
internal sealed class ImportWriter(IGrainFactory grains, ImportTally tally)
{
    /// <summary>Puts the histories of users above the old revisions, so that no device takes a revision of here for one of there.</summary>
    public static async Task StartAbove(IGrainFactory grains, IEnumerable<string> users, Revision last)
    {
        foreach (var some in users.Where(UsableId.Is).Chunk(Limits.ImportUsersAtOnce))
            await Task.WhenAll(some.Select(async user => (await Coordinator(grains, user).StartAbove(last)).ValueOrThrow()));
    }

    public async Task Write(IEnumerable<D1Row> rows)
    {
        foreach (var some in Items(rows).GroupBy(item => item.Row.User!).Chunk(Limits.ImportUsersAtOnce))
            await Task.WhenAll(some.Select(items => Write(new UserId(items.Key), [.. items])));
    }

    public async Task Check(IEnumerable<D1Row> rows)
    {
        var items = Items(rows);
        var refusals = await BodyWork.Run(int.MaxValue, items, all => all.ConvertAll(item => item.Check()));
        foreach (var (item, refusal) in items.Zip(refusals))
        {
            if (refusal is ItemRefusal.None) tally.Add(ItemStatus.Created);
            else tally.Refuse(item.Row, ImportReason.Item, refusal);
        }
    }

    private List<ImportItem> Items(IEnumerable<D1Row> rows) => [.. rows.Select(row => ImportItem.From(row, tally)).OfType<ImportItem>()];

    /// <summary>
    /// A page that a coordinator refuses is halved until the row at fault is alone: one row never blocks the others.
    /// </summary>
    private async Task Write(UserId user, ImportItem[] items)
    {
        if (await TryWrite(user, items) is { } results) Take(items, results);
        else if (items.Length == 1) tally.Refuse(items[0].Row, ImportReason.Failed);
        else
        {
            await Write(user, items[..(items.Length / 2)]);
            await Write(user, items[(items.Length / 2)..]);
        }
    }

    private async Task<List<ItemResult>?> TryWrite(UserId user, ImportItem[] items)
    {
        var reply = await Coordinator(grains, user.Value).Write(ImportItem.ToWrite(user, items));
        if (reply.Fault is { Reason: Fault.Bug }) return null;
        var answer = reply.ValueOrThrow();
        if (answer.Refusal is RequestRefusal.Busy) throw new StoreUnavailableException("busy", outcomeUnknown: false);
        return answer.Refusal is RequestRefusal.None ? answer.Items : null;
    }

    private void Take(ImportItem[] items, List<ItemResult> results)
    {
        foreach (var (item, result) in items.Zip(results))
        {
            if (result.Refusal is ItemRefusal.None) tally.Add(result.Status);
            else tally.Refuse(item.Row, ImportReason.Item, result.Refusal);
        }
    }

    private static ISyncCoordinatorGrain Coordinator(IGrainFactory grains, string user) => grains.GetGrain<ISyncCoordinatorGrain>(user);
}
