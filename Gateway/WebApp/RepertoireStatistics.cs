using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway.WebApp;

internal static class RepertoireStatistics
{
    /// <summary>Sessions told one by one.</summary>
    public const int SessionsMax = 50;

    public static async Task Get(Call call, TimeProvider time)
    {
        var scoreId = PathId.OfScore(call.Http);
        var stored = await new Documents(call, time).Get(Repertoire.Type, scoreId, "This piece is not in the repertoire; GET /api/repertoire lists what is.");
        var practice = new Practice();
        var recent = new PriorityQueue<Session, long>();
        await foreach (var entry in Logbook.Entries(call))
        {
            if (entry.ScoreId != scoreId) continue;
            practice.Add(entry);
            if (entry.PlayedMs is not { } ms) continue;
            recent.Enqueue(new Session(ms, entry.Duration, entry.Notes), ms);
            if (recent.Count > SessionsMax) recent.Dequeue();
        }

        var sessions = recent.UnorderedItems.Select(item => item.Element).OrderByDescending(session => session.Timestamp);
        var stats = new RepertoireStats(practice.Count, practice.Total, practice.Average, practice.LastMs, practice.FirstMs, [.. sessions]);
        await call.Http.Answer(new RepertoireStatsAnswer(Repertoire.Item(stored.Row!, stored.Members, practice), stats), WebAppJson.Default.RepertoireStatsAnswer);
    }
}
