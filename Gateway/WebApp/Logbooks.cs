using Microsoft.Extensions.Caching.Memory;
using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway.WebApp;

/// <summary>
/// The facts of the logbooks that were recently asked for. Reading and parsing 20,000 entries took a quarter of a second of a core, for
/// each key typed into a search, so they are cached, and a call reads what has changed since.
/// </summary>
internal sealed class Logbooks(int bytesMax = Logbooks.BytesMax) : IDisposable
{
    /// <summary>Of all users together. A logbook that does not fit is read whole at each call.</summary>
    public const int BytesMax = 64 * 1024 * 1024;
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(5);

    private readonly MemoryCache books = new(new MemoryCacheOptions { SizeLimit = bytesMax });

    public int Count => books.Count;

    /// <summary>Of the caller's live entries, as of now.</summary>
    public async ValueTask<IReadOnlyCollection<EntryFacts>> Find(Call call)
    {
        var user = call.Caller.User;
        var known = books.Get<CachedLogbook>(user);
        var now = await CachedLogbook.Read(call, known);
        if (now != known) books.Set(user, now, new MemoryCacheEntryOptions { Size = now.Bytes, SlidingExpiration = Remembered });
        return now.Entries.Values;
    }

    public void Dispose() => books.Dispose();

    /// <summary>One user's, as of a point in the history; what comes later makes another.</summary>
    private sealed record CachedLogbook(SyncToken At, Dictionary<string, EntryFacts> Entries)
    {
        public long Bytes { get; } = 200 + Entries.Values.Sum(entry => (long)entry.Bytes);

        public static async ValueTask<CachedLogbook> Read(Call call, CachedLogbook? known)
        {
            Dictionary<string, EntryFacts>? entries = null;
            var at = known?.At;
            while (true)
            {
                var page = await call.Read(new ReadQuery { Types = [EntityTypes.LogbookEntry.Name], After = at?.Seq ?? Revision.Origin });
                if (at is { } token && page.HistoryState.Resets(token))
                {
                    (at, known, entries) = (null, null, null);
                    continue;
                }

                at ??= page.HistoryState.Token with { Floor = page.HistoryState.Horizon };
                if (page.Rows.Count > 0) Apply(page.Rows, entries ??= known is null ? [] : new(known.Entries));
                at = at.Value with { Seq = page.More ? new Revision(page.Rows[^1].Seq) : page.HistoryState.Last };
                if (!page.More)
                {
                    return entries is null && known is not null ? known with { At = at.Value } : new CachedLogbook(at.Value, entries ?? []);
                }
                await Task.Yield();
            }
        }

        private static void Apply(IReadOnlyList<StoredRow> rows, Dictionary<string, EntryFacts> entries)
        {
            foreach (var row in rows)
            {
                if (row.DeletedAtMs is null) entries[row.Entity.Id] = EntryFacts.Parse(row);
                else entries.Remove(row.Entity.Id);
            }
        }
    }
}
