using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.WebApp;

internal static class RepertoireStatistics
{
    /// <summary>Sessions told one by one.</summary>
    public const int SessionsMax = 50;

    public static async Task Get(Call call, Logbooks logbooks)
    {
        var scoreId = PathId.OfScore(call.Http);
        var documents = new Documents(call);
        var stored = await documents.Get(Repertoire.Type, scoreId, "This piece is not in the repertoire; GET /api/repertoire lists what is.");
        var practice = new Practice();
        var recent = new PriorityQueue<EntryFacts, long>();
        foreach (var entry in await logbooks.Of(call))
        {
            if (entry.ScoreId != scoreId) continue;
            practice.Add(entry);
            if (entry.PlayedMs is not { } ms) continue;
            recent.Enqueue(entry, ms);
            if (recent.Count > SessionsMax) recent.Dequeue();
        }

        var sessions = new List<Session>();
        foreach (var (entry, ms) in recent.UnorderedItems.OrderByDescending(item => item.Priority)) sessions.Add(new Session(ms, entry.Duration, await Notes(documents, entry)));
        var stats = new RepertoireStats(practice.Count, practice.Total, practice.Average, practice.LastMs, practice.FirstMs, sessions);
        await call.Http.Answer(new RepertoireStatsAnswer(Repertoire.Item(stored.Row!, stored.Members, practice), stats), WebAppJson.Default.RepertoireStatsAnswer);
    }

    private static async ValueTask<string?> Notes(Documents documents, EntryFacts entry)
    {
        var stored = await documents.Find(EntityTypes.LogbookEntry, entry.Id);
        return stored.IsLive ? new LogbookEntry(stored.Members).Notes : null;
    }
}
