namespace Mirubato.Gateway.Wire;

/// <summary>
/// A window of catch-up: rows of revisions <c>(after, end]</c>, grouped by type. Only the last frame says how far it goes, because inside a
/// window nothing is in order. Frames are made one at a time, as the socket takes them.
/// </summary>
internal static class WindowFrames
{
    public const int ItemsMax = 250;
    public const int BytesMax = 512 * 1024;

    /// <param name="end">Null: the frames have no place in the order; they only carry the present state.</param>
    public static IEnumerable<ReadOnlyMemory<byte>> List(IReadOnlyList<StoredRow> rows, long after, long? end, string now)
    {
        FrameWriter? last = null;
        foreach (var frame in Frames(rows, now))
        {
            if (last is not null) yield return last.End();
            last = frame;
        }

        if (last is null) yield break;
        yield return end is { } seq ? last.Number("after", after).Number("lastSeq", seq).End() : last.End();
    }

    private static IEnumerable<FrameWriter> Frames(IReadOnlyList<StoredRow> rows, string now)
    {
        foreach (var names in SocketEvents.All.Where(names => names.Bulk is not null))
        {
            foreach (var frame in Bulk(rows.Where(row => IsLive(row, names.Type)), names, now)) yield return frame;
        }

        var occurrences = rows.Where(row => IsLive(row, EntityTypes.PlanOccurrence)).ToLookup(RowFrames.FindPlan);
        var plans = rows.Where(row => IsLive(row, EntityTypes.PracticePlan)).Select(row => row.Entity.Id).ToHashSet();
        foreach (var row in rows)
        {
            if (row.DeletedAtMs is null && SocketEvents.FindByType(row.Entity.Type) is { Bulk: not null }) continue;
            if (IsLive(row, EntityTypes.PlanOccurrence) && RowFrames.FindPlan(row) is { } plan && plans.Contains(plan)) continue;
            yield return RowFrames.Event(row, now, IsLive(row, EntityTypes.PracticePlan) ? [.. occurrences[row.Entity.Id]] : null);
        }
    }

    private static IEnumerable<FrameWriter> Bulk(IEnumerable<StoredRow> rows, EventNames names, string now)
    {
        var items = new List<StoredRow>();
        long bytes = 0;
        foreach (var row in rows)
        {
            if (items.Count > 0 && (items.Count == ItemsMax || bytes + row.Data.Length > BytesMax))
            {
                yield return Bulk(items, bytes, names, now);
                items.Clear();
                bytes = 0;
            }

            items.Add(row);
            bytes += row.Data.Length + 1;
        }

        if (items.Count > 0) yield return Bulk(items, bytes, names, now);
    }

    private static FrameWriter Bulk(List<StoredRow> items, long bytes, EventNames names, string now) =>
        new FrameWriter(names.Bulk!, now, (int)bytes).Documents(names.BulkMember!, items);

    private static bool IsLive(StoredRow row, EntityType type) => row.DeletedAtMs is null && row.Entity.Type == type.Name;
}
