using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>The conflict feed: what lost, to look at, bring back or drop.</summary>
internal static class FeedEndpoints
{
    private const int PageMax = 100;
    private const int PageUsual = 50;

    public static async Task Conflicts(Call call, UserConcurrency concurrency)
    {
        var limit = QueryLimit.Parse(call.Http.Request.Query, PageMax) ?? PageUsual;
        var after = call.Http.Request.Query["after"].ToString();
        if (after.Length > 0 && !UsableId.Is(after))
        {
            throw new RequestRefusedException(Problem.InvalidParameter, "after must be the next member of an answer.", "after");
        }
        using var lease = await concurrency.Read(call.Caller.User, call.Cancel);
        var (kept, bytes, hasMore) = (new List<KeptConflict>(), 0L, false);
        await foreach (var conflict in All(call, after.Length == 0 ? null : after))
        {
            bytes += conflict.Document.Length;
            hasMore = kept.Count == limit || bytes > Limits.PageBytesMax;
            if (hasMore) break;
            kept.Add(Kept(conflict));
        }

        await call.Http.Answer(new ConflictsAnswer(kept, hasMore, hasMore ? kept[^1].Id : null), WireJson.Default.ConflictsAnswer);
    }

    /// <summary>The feed from a row on, newest first: however long it is, one page of the largest documents is held.</summary>
    public static async IAsyncEnumerable<ConflictReport> All(Call call, string? after)
    {
        while (true)
        {
            var found = await call.Reader.Conflicts(call.Caller.User, after, Limits.FeedRowsMax, call.Cancel);
            foreach (var conflict in found) yield return conflict;
            if (found.Count < Limits.FeedRowsMax) yield break;
            after = found[^1].Id;
        }
    }

    public static async Task Restore(Call call, string id, GatewayMetrics metrics)
    {
        if (!UsableId.Is(id)) throw NoSuch();
        await WriteEndpoints.Answer(call, await call.Decide(grain => grain.Restore(new RestoreRequest(call.Caller, id))), metrics);
    }

    public static async Task Dismiss(Call call, string id)
    {
        if (!UsableId.Is(id) || !await call.Decide(grain => grain.Dismiss(new DismissRequest(id)))) throw NoSuch();
        call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static RequestRefusedException NoSuch() =>
        new(Problem.NotFound, "There is no such conflict; it may have been restored, dropped or expired.");

    private static KeptConflict Kept(ConflictReport report) => new(
        report.Id,
        report.Entity.Type,
        report.Entity.Id,
        report.Reason,
        report.WinnerVersion,
        report.Device?.Value,
        IsoTime.Text(report.CreatedMs),
        report.Members,
        new JsonBytes(report.Document));
}
