using System.Globalization;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>What was replaced: to look at, to bring back, and to go back to.</summary>
internal static class HistoryEndpoints
{
    private const int PageMax = 100;
    private const int PageUsual = 50;

    public static Task List(Call call, string type, string id, UserConcurrency concurrency) => Show(call, Entity(call), concurrency);

    public static async Task Show(Call call, EntityKey entity, UserConcurrency concurrency)
    {
        var limit = QueryLimit.Parse(call.Http.Request.Query, PageMax) ?? PageUsual;
        var after = call.Http.Request.Query["after"].ToString();
        var before = after.Length == 0 ? long.MaxValue : Version(after) ?? throw new RequestRefusedException(
            Problem.InvalidParameter, "after must be the next member of an answer.", "after");
        using var lease = await concurrency.Read(call.Caller.User, call.Cancel);
        var (kept, bytes, hasMore) = (new List<KeptVersion>(), 0L, false);
        await foreach (var version in All(call, entity, before))
        {
            bytes += version.Document.Length;
            hasMore = kept.Count == limit || (kept.Count > 0 && bytes > Limits.PageBytesMax);
            if (hasMore) break;
            if (version.IsPresent || !version.IsRepeat) kept.Add(Kept(version));
        }

        if (kept.Count == 0 && after.Length == 0) throw NoSuch();
        var next = hasMore ? kept[^1].Version.ToString(CultureInfo.InvariantCulture) : null;
        await call.Http.Answer(new HistoryAnswer(entity.Type, entity.Id, kept, hasMore, next), WireJson.Default.HistoryAnswer);
    }

    public static Task Restore(Call call, string type, string id, string version, GatewayMetrics metrics) =>
        RestoreVersion(call, Entity(call), version, metrics);

    public static async Task RestoreVersion(Call call, EntityKey entity, string version, GatewayMetrics metrics)
    {
        var request = new RestoreVersionRequest(call.Caller, entity, Version(version) ?? throw NoSuch());
        var answer = await call.Decide(grain => grain.RestoreVersion(request));
        if (answer.Refusal is RequestRefusal.NotFound) throw NoSuch();
        await WriteEndpoints.Answer(call, answer, metrics);
    }

    public static async Task Rewind(Call call, RequestBodies bodies, UserConcurrency concurrency)
    {
        var wanted = RewindBody.Parse(await bodies.Read(call.Http, call.Caller.User));
        var request = new RewindRequest(call.Caller, wanted.ToMs, wanted.Device, wanted.Types, wanted.DryRun, wanted.After);
        var report = await concurrency.Long(
            call.Caller.User, () => call.Coordinator.Decide(grain => grain.Rewind(request), CancellationToken.None));
        RequestRefusedException.ThrowIf(report.Refusal);
        var items = report.Items.Select(item => new RewoundItem(item.Entity.Type, item.Entity.Id, Word(item.Action), item.Version));
        await call.Http.Answer(
            new RewindAnswer(
                IsoTime.Text(wanted.ToMs), wanted.DryRun, AllOrNothing: false, [.. items], report.Next is not null,
                report.Next is { } next ? $"{next.Type}/{next.Id}" : null),
            WireJson.Default.RewindAnswer);
    }

    private static async IAsyncEnumerable<VersionReport> All(Call call, EntityKey entity, long before)
    {
        while (true)
        {
            var found = await call.Reader.History(new HistoryRequest(call.Caller.User, entity, before, Limits.FeedRowsMax), call.Cancel);
            foreach (var version in found) yield return version;
            if (found.Count < Limits.FeedRowsMax) yield break;
            before = found[^1].Version;
        }
    }

    /// <exception cref="RequestRefusedException">There can be no such entity.</exception>
    public static EntityKey Entity(string type, string id) =>
        EntityTypes.Find(type) is not null && UsableId.Is(id) ? new EntityKey(type, id) : throw NoSuch();

    private static EntityKey Entity(Call call) => Entity(PathId.Parse(call.Http, at: 3), PathId.Parse(call.Http, at: 4));

    private static long? Version(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version < long.MaxValue ? version : null;

    private static string Word(RewindAction action) => action switch
    {
        RewindAction.Changed => "changed",
        RewindAction.Deleted => "deleted",
        RewindAction.Restored => "restored",
        RewindAction.Moved => "moved",
        RewindAction.Refused => "refused",
        _ => "unknown",
    };

    private static RequestRefusedException NoSuch() =>
        new(Problem.NotFound, "There is no such entity or version; versions are thinned, and go after 30 days.");

    private static KeptVersion Kept(VersionReport report) => new(
        report.Version,
        report.IsPresent,
        Deleted: report.Document.IsEmpty,
        report.Device?.Value,
        IsoTime.Text(report.ArrivedMs),
        IsoTime.Text(report.UpdatedAtMs),
        JsonBytes.OrNull(report.Document));
}
