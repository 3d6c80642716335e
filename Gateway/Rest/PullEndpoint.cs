using Microsoft.Net.Http.Headers;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

internal static class PullEndpoint
{
    public static async Task Post(Call call, RequestBodies bodies, UserConcurrency concurrency, GatewayMetrics metrics) =>
        await Answer(call, PullRequest.Parse(await bodies.Read(call.Http, call.Caller.User)), concurrency, metrics);

    public static Task Get(Call call, UserConcurrency concurrency, GatewayMetrics metrics) =>
        Answer(call, PullRequest.Parse(call.Http.Request.Query), concurrency, metrics);

    private static async Task Answer(Call call, PullRequest request, UserConcurrency concurrency, GatewayMetrics metrics)
    {
        using var timed = metrics.Time("pull");
        var headers = call.Http.Response.Headers;
        headers.CacheControl = "private, no-cache";
        headers.Vary = "Authorization, Origin, Accept-Encoding";
        if (await IsKnown(call, request))
        {
            metrics.NotModified.Add(1);
            call.Http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        using var lease = await concurrency.Read(call.Caller.User, call.Cancel);
        await new Pull(call, request, metrics).Answer();
    }

    /// <summary>Whether the client holds this very answer. Decided on the stored history state: another node may have written.</summary>
    private static async ValueTask<bool> IsKnown(Call call, PullRequest request)
    {
        var known = call.Http.Request.Headers.IfNoneMatch;
        if (known.Count == 0) return false;
        var history = await call.Coordinator.HistoryState(call.Caller, call.Cancel);
        RequestRefusedException.ThrowIf(history.Refusal(call.Caller));
        var tag = request.Tag(history);
        var matches = EntityTagHeaderValue.TryParseList([.. known.OfType<string>()], out var tags)
            && tags.Any(
                one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(EntityTagHeaderValue.Parse(tag), useStrongComparison: false));
        if (matches) call.Http.Response.Headers.ETag = tag;
        return matches;
    }
}
