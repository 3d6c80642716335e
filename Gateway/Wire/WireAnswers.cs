using System.Buffers;

namespace Mirubato.Gateway.Wire;

/// <summary>The answers of push, batch and mutations. A function of the outcome alone: the same outcome is the same bytes.</summary>
internal sealed class WireAnswers : IAnswerFormat
{
    public (int Status, ReadOnlyMemory<byte> Body) Write(WriteRequest request, WriteOutcome outcome)
    {
        var status = outcome.Applied ? StatusCodes.Status200OK : StatusCodes.Status409Conflict;
        return (status, request.Scope switch
        {
            WriteScope.Batch => Batch(request, outcome),
            WriteScope.Socket => SocketAnswers.Write(request, outcome),
            _ => Push(outcome),
        });
    }

    private static byte[] Push(WriteOutcome outcome)
    {
        var listed = ListedItems.From(outcome.Items.Where(item => item.Status is not ItemStatus.Unchanged));
        var conflicts = listed.Items.Where(IsConflictOrRefused).Select(item =>
        {
            var (reason, message) = ItemMessages.Why(item);
            return new PushConflict(item.Entity.Id ?? "", item.Entity.Type, reason, message, item.Members, JsonBytes.OrNull(item.Server));
        });
        var answer = new PushAnswer(
            outcome.Applied, [.. conflicts], Stats(outcome), Results(listed.Items), outcome.Token.ToString(),
            outcome.Token.Seq.Number, listed.NotListed)
        {
            Refused = Refused(outcome),
        };
        return AnswerWriter.Write(answer, WireJson.Default.PushAnswer);
    }

    private static byte[] Batch(WriteRequest request, WriteOutcome outcome)
    {
        var answer = new BatchAnswer(
            outcome.Applied
                ? outcome.Items.Count(item => item.Status is ItemStatus.Created or ItemStatus.Updated or ItemStatus.Deleted
                or ItemStatus.Merged)
                : 0,
            outcome.Changes?.Count ?? outcome.NotMentioned,
            BatchConflicts(request, outcome),
            outcome.Token.ToString(),
            outcome.Token.Seq.Number,
            Results(outcome.Items),
            outcome.Changes is { } rows ? new JsonBytes(Changes(rows)) : null,
            outcome.Changes is null ? null : outcome.HasMore)
        {
            Refused = Refused(outcome),
        };
        return AnswerWriter.Write(answer, WireJson.Default.BatchAnswer);
    }

    private static ProblemForm? Refused(WriteOutcome outcome) => outcome.Applied ? null : Problem.StrictConflict.Form();

    private static List<BatchConflict> BatchConflicts(WriteRequest request, WriteOutcome outcome)
    {
        var conflicts = new List<BatchConflict>();
        for (var i = 0; i < outcome.Items.Count; i++)
        {
            var item = outcome.Items[i];
            if (!IsConflictOrRefused(item)) continue;
            var (reason, message) = ItemMessages.Why(item);
            var local = i < request.Changes.Count ? request.Changes[i].LocalVersion : null;
            conflicts.Add(
                new BatchConflict(
                    item.Entity.Id ?? "", item.Entity.Type, local, item.Version, reason, message, item.Members,
                    JsonBytes.OrNull(item.Server)));
        }

        return conflicts;
    }

    private static bool IsConflictOrRefused(ItemResult item) => item.Status is ItemStatus.Conflict or ItemStatus.Refused;

    private static List<WriteResult> Results(IEnumerable<ItemResult> items) =>
        [.. items.Select(item => new WriteResult(
            item.Entity.Type,
            item.Entity.Id ?? "",
            ItemMessages.Word(item.Status),
            item.Seq,
            item.Version,
            item.Seq == 0 ? null : IsoTime.Text(item.UpdatedAtMs),
            item.Members,
            JsonBytes.OrNull(item.Document)))];

    /// <summary>Processed is what the store now holds as sent, changed by it or not.</summary>
    private static PushStats Stats(WriteOutcome outcome)
    {
        IReadOnlyList<ItemResult> processed = outcome.Applied ? outcome.Items : [];
        return new PushStats(
            CountProcessed(processed, EntityTypes.LogbookEntry),
            outcome.Items.Count(item => item.Status is ItemStatus.Unchanged),
            CountProcessed(processed, EntityTypes.Goal),
            CountProcessed(processed, EntityTypes.PracticePlan),
            CountProcessed(processed, EntityTypes.PlanOccurrence),
            CountProcessed(processed, EntityTypes.PlanTemplate),
            CountProcessed(processed, EntityTypes.RepertoireItem));
    }

    private static int CountProcessed(IReadOnlyList<ItemResult> items, EntityType type)
    {
        var count = 0;
        for (var i = 0; i < items.Count; i++)
        {
            if (!IsConflictOrRefused(items[i]) && items[i].Entity.Type == type.Name) count++;
        }

        return count;
    }

    /// <summary>In the member form of a pull.</summary>
    private static ReadOnlyMemory<byte> Changes(IReadOnlyList<StoredRow> rows)
    {
        var bytes = new ArrayBufferWriter<byte>();
        bytes.Write("{"u8);
        foreach (var document in EntitySections.Documents(bytes, rows, withDeleted: true)) bytes.Write(document.Span);
        bytes.Write("}"u8);
        return bytes.WrittenMemory;
    }
}
