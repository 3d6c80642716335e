namespace Mirubato.Tests.Faults;

/// <summary>What must hold whatever happened, each as a list of what does not.</summary>
internal sealed class FaultChecks(FaultWorld world, History history)
{
    private readonly ILookup<(string User, string Marker), CommittedRow> byMarker =
        history.Rows.Where(row => row.Marker is not null).ToLookup(row => (row.User, row.Marker!));

    private readonly ILookup<(
        string User, FaultEntity Entity), CommittedRow> byEntity = history.Rows.ToLookup(row => (row.User, row.Entity));

    private readonly Dictionary<(string User, string Marker), FaultItem> items =
        world.Changes.SelectMany(
            change =>
                change.Items.Select(item => (Key: (change.User, item.Marker), Item: item))).ToDictionary(one => one.Key, one => one.Item);

    private readonly ILookup<(string User, FaultEntity Entity, long ClientMs), FaultItem> deletes =
        world.Changes.SelectMany(
            change =>
                change.Items.Where(item => item.IsDelete).Select(
                    item => (Key: (change.User, item.Entity, item.ClientMs), Item: item))).ToLookup(one => one.Key, one => one.Item);

    public IEnumerable<string> All() =>
        [
            .. world.Faults, .. Gaps(), .. Twice(), .. Unkept(), .. Lost(), .. WithoutReceipt(), .. Passed(),
            .. world.Trails.SelectMany(trail => trail.Faults), .. world.Trails.SelectMany(history.Overtaken),
        ];

    /// <summary>Revisions go up by one.</summary>
    private IEnumerable<string> Gaps()
    {
        foreach (var (user, head) in history.Heads)
        {
            var seqs = history.Rows.Where(row => row.User == user).Select(row => row.Seq).ToList();
            if (!seqs.SequenceEqual(Enumerable.Range(1, seqs.Count).Select(i => (long)i)) || head != seqs.Count)
                yield return $"{user}: the head is {head}, revisions are {seqs.Count} from {seqs.FirstOrDefault()} to "
                    + $"{seqs.LastOrDefault()}";
        }
    }

    /// <summary>An action has one revision, by however many paths and how often it was sent.</summary>
    private IEnumerable<string> Twice()
    {
        foreach (
            var (_, rows) in history.Rows.GroupBy(
                row => (row.User, row.Entity, row.Marker ?? $"deleted at {row.ClientMs}")).Select(group => (group.Key, group.ToList())))
        {
            var executions = rows.Where(
                (row, i) => i == 0 || history.Next(rows[i - 1]) != row || !History.IsAnnouncedAgain(rows[i - 1], row)).ToList();
            if (executions.Count > 1) yield return $"executed twice: {string.Join(" and ", executions)}";
        }
    }

    /// <summary>What was acknowledged is what was committed, or is in the feed.</summary>
    private IEnumerable<string> Unkept() =>
        from ack in world.Acknowledgements
        where !IsKept(ack)
        select $"acknowledged and not kept: {ack.Change}, '{ack.Status}' at version {ack.Version} by {ack.By}; its entity: "
            + $"{string.Join(", ", byEntity[(ack.Change.User, ack.Item.Entity)].TakeLast(5))}";

    private bool IsKept(Acknowledged ack)
    {
        var (user, item) = (ack.Change.User, ack.Item);
        var committed = byMarker[(user, item.Marker)];
        return ack.Status switch
        {
            "created" or "updated" => committed.Any(row => row.Version == ack.Version),
            "deleted" => byEntity[(user, item.Entity)].Any(row => row.IsDeleted && row.Version == ack.Version),
            "unchanged" when item.IsDelete => byEntity[(user, item.Entity)].Any(row => row.IsDeleted),
            "unchanged" => committed.Any(),
            "conflict" => item.IsDelete || committed.Any() || history.Feed.Contains((user, item.Marker)),
            _ => false,
        };
    }

    /// <summary>Who was replaced, was replaced by its own device or by one that had seen it, or is in the feed.</summary>
    private IEnumerable<string> Lost() =>
        from row in history.Rows
        where !row.IsDeleted && history.Next(row) is { } after && !IsExcused(row, after)
        select $"lost: {row}, replaced by {history.Next(row)}, and not in the feed";

    private bool IsExcused(CommittedRow row, CommittedRow by) =>
        by.Marker == row.Marker
        || (row.Device is not null && row.Device == by.Device)
        || BaseOf(by) == row.Version
        || history.Feed.Contains((row.User, row.Marker!));

    private long? BaseOf(CommittedRow row) =>
        row.Marker is not null
            ? items.GetValueOrDefault((row.User, row.Marker))?.Base
            : deletes[(row.User, row.Entity, row.ClientMs)].FirstOrDefault(item => item.Base is not null)?.Base;

    /// <summary>The receipt of a key is there as soon as its answer was given.</summary>
    private IEnumerable<string> WithoutReceipt() =>
        from change in world.Changes
        from key in new[] { change.HttpAnswer is null ? null : change.Key, change.SocketAnswer is null ? null : change.SocketKey }
        where key is not null && !history.Receipts.Contains((change.User, key))
        select $"no receipt of {key}, though {change} was answered";

    /// <summary>A write's own token passes nothing but what it wrote itself.</summary>
    private IEnumerable<string> Passed() =>
        from token in world.Tokens
        where token.To > token.From && (token.To > token.From + 1 || !byMarker[(token.User, token.Marker)].Any(row => row.Seq == token.To))
              && !deletes.Any(delete => delete.Key.User == token.User && delete.Any(item => item.Marker == token.Marker))
        select $"{token} was given a token past what it knew";
}
