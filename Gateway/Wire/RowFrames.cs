namespace Mirubato.Gateway.Wire;

/// <summary>A frame of the stream, built once for all sockets that get it.</summary>
/// <param name="Seq">The revision that a socket has reached once the frame is sent.</param>
/// <param name="By">The socket that wrote it and is spared it.</param>
/// <param name="Entity">What it is about, or the plan it is about.</param>
internal readonly record struct RowFrame(ReadOnlyMemory<byte> Bytes, long Seq, string? By, EntityKey Entity);

/// <summary>Stored rows as events.</summary>
internal static class RowFrames
{
    /// <summary>
    /// A frame a row, but a plan and its occurrences, when one commit holds them in a row, are one event that carries the highest revision.
    /// </summary>
    public static IEnumerable<RowFrame> Stream(IReadOnlyList<AnnouncedRow> rows, long after, string now)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            var (row, by, isNew) = rows[i];
            var occurrences = OccurrencesBehind(rows, i);
            i += occurrences.Count;
            var seq = rows[i].Row.Seq;
            yield return new RowFrame(
                Event(row, now, occurrences, isNew).Number("after", after).Number("seq", seq).End(), seq, by, row.Entity);
            after = seq;
        }
    }

    /// <summary>The event of one row, without a place in the order.</summary>
    /// <param name="isNew">False in a catch-up, which sends the present state, not each change.</param>
    public static FrameWriter Event(StoredRow row, string now, IReadOnlyList<StoredRow>? occurrences = null, bool isNew = false)
    {
        var names = SocketEvents.FindByType(row.Entity.Type);
        if (row.DeletedAtMs is { } deletedMs) return Deletion(row, names, now, deletedMs);
        if (names is null)
            return new FrameWriter(SocketEvents.EntityUpdated, now, row.Data.Length)
                .Text("entityType", row.Entity.Type)
                .Text("entityId", row.Entity.Id)
                .Json("entity", row.Data.Span);

        var frame = new FrameWriter(
            isNew ? names.Upserts[0] : names.Upserts[^1], now, row.Data.Length + (occurrences?.Sum(o => o.Data.Length + 1) ?? 0))
            .Json(names.Payload, row.Data.Span);
        return occurrences is { Count: > 0 } ? frame.Documents("occurrences", occurrences) : frame;
    }

    /// <summary>The plan an occurrence belongs to, by its own document.</summary>
    public static string? FindPlan(StoredRow occurrence) => TopLevelText.Find(occurrence.Data.Span, "planId", "plan_id");

    /// <summary>A winning copy, as the answer to a mutation holds it, or the stored one where a merge found nothing new.</summary>
    public static StoredRow Winner(ItemResult item)
    {
        var copy = item.TookNoRevision ? item.Document : item.Server;
        return new(item.Entity, item.Seq, item.Version, item.UpdatedAtMs, IsTombstone(copy.Span) ? item.UpdatedAtMs : null, copy);
    }

    /// <summary>A document may have a <c>deletedAt</c> that is no time; only a document names its user.</summary>
    private static bool IsTombstone(ReadOnlySpan<byte> copy) =>
        TopLevelText.Find(copy, "deletedAt") is not null && TopLevelText.Find(copy, "user_id") is null;

    private static FrameWriter Deletion(StoredRow row, EventNames? names, string now, long deletedMs)
    {
        var frame = names is { Deletes.Length: > 0 }
            ? new FrameWriter(names.Deletes[0], now).Text(names.IdMember, row.Entity.Id)
            : new FrameWriter(SocketEvents.EntityDeleted, now).Text("entityType", row.Entity.Type).Text("entityId", row.Entity.Id);
        return frame.Text("deletedAt", IsoTime.Text(deletedMs)).Number("version", row.Version);
    }

    private static List<StoredRow> OccurrencesBehind(IReadOnlyList<AnnouncedRow> rows, int at)
    {
        var found = new List<StoredRow>();
        var plan = rows[at].Row;
        if (plan.Entity.Type != EntityTypes.PracticePlan.Name || plan.DeletedAtMs is not null) return found;
        for (var i = at + 1; i < rows.Count; i++)
        {
            var row = rows[i].Row;
            if (row.Entity.Type != EntityTypes.PlanOccurrence.Name
                || row.DeletedAtMs is not null
                || rows[i].ConnectionId != rows[at].ConnectionId
                || FindPlan(row) != plan.Entity.Id)
            {
                break;
            }
            found.Add(row);
        }

        return found;
    }
}
