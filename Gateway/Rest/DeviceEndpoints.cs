using Microsoft.AspNetCore.Http.Features;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Rest;

/// <summary>The user's devices. Turning one away is a convenience, for a device names itself; what makes safe is to sign out everywhere.</summary>
internal static class DeviceEndpoints
{
    public static async Task List(Call call)
    {
        var devices = await call.Coordinator.Devices(call.Cancel);
        await call.Http.Answer(new DevicesAnswer([.. devices.Select(Known)]), WireJson.Default.DevicesAnswer);
    }

    public static Task Revoke(Call call, string id) => SetRevoked(call, revoked: true);

    public static Task Allow(Call call, string id) => SetRevoked(call, revoked: false);

    private static async Task SetRevoked(Call call, bool revoked)
    {
        var id = RawId(call.Http);
        if (!UsableId.Is(id) || !await call.Coordinator.Revoke(new DeviceId(id), revoked, call.Cancel))
            throw new RequestRefusedException(Problem.NotFound, "There is no such device; GET /api/sync/devices lists them.");
        call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    // From the raw target, because a slash inside an id stays encoded in the route value and could not be told from a literal %2F.
    private static string RawId(HttpContext http)
    {
        var target = http.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        var segments = target.Split('?', 2)[0].Split('/');
        var at = Array.LastIndexOf(segments, "devices");
        return at >= 0 && at + 1 < segments.Length ? Uri.UnescapeDataString(segments[at + 1]) : "";
    }

    private static KnownDevice Known(DeviceReport report) => new(
        report.Device.Value,
        report.Name,
        WireTime.Iso(report.FirstSeenMs),
        WireTime.Iso(report.LastSeenMs),
        report.LastSeq,
        Revoked: report.RevokedMs is not null,
        WireTime.Iso(report.RevokedMs),
        report.Live);
}
