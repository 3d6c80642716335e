using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

internal static class StatusEndpoint
{
    public static async Task Get(Call call)
    {
        var report = await call.Coordinator.Status(call.Caller, call.Cancel);
        var standing = report.Standing;
        RequestRefusedException.ThrowIf(standing.Refusal(call.Caller));
        var answer = new StatusAnswer(
            standing.LastSyncMs == 0 ? null : WireTime.Iso(standing.LastSyncMs),
            standing.Token.ToString(),
            standing.Last.Number,
            PendingChanges: 0,
            report.Devices,
            report.LiveEntities.Values.Sum(),
            report.LiveEntities,
            report.Connections,
            PullWriter.Digest(standing),
            CommonHeaders.SchemaVersion);
        await call.Http.Answer(answer, WireJson.Default.StatusAnswer);
    }
}
