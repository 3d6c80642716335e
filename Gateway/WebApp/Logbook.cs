using System.Buffers;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway.WebApp;

/// <summary>What an update makes of an entry.</summary>
internal enum EntryEdit
{
    /// <summary>It is not meant.</summary>
    Other,

    /// <summary>It is meant, and is as it should be.</summary>
    Fits,

    Changed,
}

/// <summary>A user's entities of one type, page by page: however many there are, one page is held.</summary>
internal static class Logbook
{
    private const int HeldBytesMax = Limits.PageBytesMax;

    /// <summary>Entries that are edited and committed together: 10 to 20 ms of work.</summary>
    private const int EditRows = 250;

    public static async IAsyncEnumerable<StoredRow> Rows(Call call, EntityType type)
    {
        await foreach (var page in call.PagesByKey(From(type)))
        {
            foreach (var row in page.Rows) yield return row;
        }
    }

    /// <summary>All of them at once, to be put in order; they count toward the same budget as unpacked bodies.</summary>
    public static async ValueTask<List<StoredRow>> Held(Call call, EntityType type, BodyBudget budget)
    {
        var lease = budget.Lease(call.Caller.User);
        call.Http.Response.RegisterForDispose(lease);
        var (rows, bytes) = (new List<StoredRow>(), 0L);
        await foreach (var row in Rows(call, type))
        {
            rows.Add(row);
            bytes += row.Data.Length;
            if (bytes > HeldBytesMax)
                throw new RequestRefusedException(
                    Problem.TooManyItems, $"This list is longer than {HeldBytesMax} bytes; read it page by page with /api/sync/pull.");
            if (bytes > BodyBudget.FreeBytes) lease.Grow(bytes);
        }

        return rows;
    }

    /// <summary>
    /// Edits every entry that <paramref name="edit"/> means, a revision each and a commit for each page. After a page it waits as long as
    /// the page took, so that it uses at most half of what there is. Pages that are done stay done when a later one fails, and a repetition
    /// goes on from there.
    /// </summary>
    /// <returns>How many entries are meant, and how many were changed.</returns>
    public static async ValueTask<(int Meant, int Changed)> Edit(Call call, Func<LogbookEntry, EntryEdit> edit)
    {
        var query = From(EntityTypes.LogbookEntry) with { Rows = EditRows };
        var (meant, changed, attempts) = (0, 0, 0);
        while (true)
        {
            var startedAt = call.Time.GetTimestamp();
            var page = await call.Read(query);
            var edits = CollectEdits(page, edit, call.Time.GetUtcNow().ToUnixTimeMilliseconds());
            if (await Write(call, page, edits) is not { } written)
            {
                if (++attempts == Documents.AttemptsMax) throw new RequestRefusedException(Problem.BaseMoved);
                continue;
            }

            (meant, changed, attempts) = (meant + edits.Meant, changed + written, 0);
            if (!page.More) return (meant, changed);
            query = query with { AfterKey = page.Rows[^1].Entity };
            await Task.Delay(call.Time.GetElapsedTime(startedAt), call.Time);
        }
    }

    private static PageEdits CollectEdits(ReadPage page, Func<LogbookEntry, EntryEdit> edit, long nowMs)
    {
        var meant = 0;
        var changes = new List<Change>();
        var documents = new ArrayBufferWriter<byte>();
        foreach (var row in page.Rows)
        {
            var entry = new LogbookEntry(JsonMembers.ParseStored(row.Data));
            var made = edit(entry);
            if (made is not EntryEdit.Other) meant++;
            if (made is not EntryEdit.Changed) continue;
            entry.Members.SetUpdatedAt(EntityTypes.LogbookEntry, nowMs);
            var document = entry.Members.ToJson();
            changes.Add(
                new Change(
                    row.Entity.Type, row.Entity.Id, new DocumentRange(documents.WrittenCount, document.Length), BaseVersion: row.Version));
            documents.Write(document.Span);
        }

        return new PageEdits(meant, changes, documents.WrittenMemory);
    }

    /// <summary>Null when another write came between: then the page is read again.</summary>
    private static async ValueTask<int?> Write(Call call, ReadPage page, PageEdits edits)
    {
        if (edits.Changes.Count == 0) return 0;
        var request = new WriteRequest(call.Caller, WriteScope.Push, Key: null, Body: default, edits.Changes, page.HistoryState.Token)
        {
            OnlyOnBase = true,
            Documents = edits.Documents,
            ItemsWanted = true,
        };
        // Not given up with its client: the user's turn ends when the work does.
        var answer = await call.Coordinator.Write(request, CancellationToken.None);
        if (answer.Refusal is RequestRefusal.BaseMoved) return null;
        RequestRefusedException.ThrowIf(answer.Refusal);
        return answer.Items!.Count(item => item.Status is ItemStatus.Updated);
    }

    private static ReadQuery From(EntityType type) =>
        new() { Types = [type.Name], Kind = RowKind.Live, AfterKey = new EntityKey(type.Name, "") };

    /// <summary>How many entries of a page are meant, and what is written of them.</summary>
    private sealed record PageEdits(int Meant, List<Change> Changes, ReadOnlyMemory<byte> Documents);
}
