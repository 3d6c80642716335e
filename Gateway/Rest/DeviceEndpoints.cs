using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>
/// The user's devices. Turning one away is a convenience, for a device names itself; what makes safe is to sign out everywhere.
/// </summary>
internal static class DeviceEndpoints
{
    public static async Task List(Call call)
    {
        var devices = await call.Ask(grain => grain.Devices());
        await call.Http.Answer(new DevicesAnswer([.. devices.Select(Known)]), WireJson.Default.DevicesAnswer);
    }

    public static Task Revoke(Call call, string id) => SetRevoked(call, revoked: true);

    public static Task Allow(Call call, string id) => SetRevoked(call, revoked: false);

    private static async Task SetRevoked(Call call, bool revoked)
    {
        var id = PathId.Parse(call.Http, at: 3);
        if (!UsableId.Is(id) || !await call.Decide(grain => grain.Revoke(new RevokeRequest(new DeviceId(id), revoked))))
            throw new RequestRefusedException(Problem.NotFound, "There is no such device; GET /api/sync/devices lists them.");
        call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static KnownDevice Known(DeviceReport report) => new(
        report.Device.Value,
        report.Name,
        IsoTime.Text(report.FirstSeenMs),
        IsoTime.Text(report.LastSeenMs),
        report.LastSeq,
        Revoked: report.RevokedMs is not null,
        IsoTime.Text(report.RevokedMs),
        report.Live);
}
