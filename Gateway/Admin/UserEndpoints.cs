using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Admin;

/// <summary>One user: what an operator sees, and does. Nothing that the user wrote is shown unless it is asked for.</summary>
internal static class UserEndpoints
{
    private const int ConflictsShown = 20;

    public static async Task Inspect(AdminCall call)
    {
        var hasContent = RedactedQuery.Read(call.Http, "content") == "true";
        if (hasContent) await call.Show("content", () => Inspect(call, hasContent));
        else await Inspect(call, hasContent);
    }

    public static Task Export(AdminCall call, UserConcurrency concurrency) =>
        call.Show("export", () => ExportEndpoint.Get(call.AsUser(), concurrency));

    /// <summary>The entity stands in the query, of which logs see its type only.</summary>
    public static Task History(AdminCall call, UserConcurrency concurrency) => call.Show("history", () =>
    {
        var entity = HistoryEndpoints.Entity(RedactedQuery.Read(call.Http, "type"), RedactedQuery.Read(call.Http, "entity"));
        return HistoryEndpoints.Show(call.AsUser(), entity, concurrency);
    });

    public static Task Rewind(AdminCall call, RequestBodies bodies, UserConcurrency concurrency) =>
        call.Act("rewind", () => HistoryEndpoints.Rewind(call.AsUser(), bodies, concurrency));

    /// <summary>As the user's own restore.</summary>
    public static Task RestoreVersion(AdminCall call, string type, string version, GatewayMetrics metrics) => call.Act("restore", () =>
    {
        var entity = HistoryEndpoints.Entity(type, call.Http.Features.Get<HiddenIds>()?.Entity ?? "");
        return HistoryEndpoints.RestoreVersion(call.AsUser(), entity, version, metrics);
    });

    public static Task Resync(AdminCall call) => call.Act("resync", async () =>
    {
        var history = await Decide(call, grain => grain.Resync());
        await call.Http.Answer(new ResyncAnswer(true, $"{history.Token}", history.Last.Number), AdminJson.Default.ResyncAnswer);
    });

    public static Task Disconnect(AdminCall call) => call.Act("disconnect", async () =>
        await call.Http.Answer(
            new DisconnectAnswer(true, await call.Coordinator.Disconnect(CancellationToken.None)), AdminJson.Default.DisconnectAnswer));

    public static Task SignOut(AdminCall call) => call.Act("sign-out", async () =>
    {
        var notBeforeMs = await Decide(call, grain => grain.SignOutEverywhere());
        await call.Http.Answer(new SignedOutAnswer(true, IsoTime.Text(notBeforeMs)), WireJson.Default.SignedOutAnswer);
    });

    public static Task Erase(AdminCall call, UserConcurrency concurrency) => call.Act("erase", async () =>
    {
        var history = await concurrency.Long(call.User, () => Decide(call, grain => grain.Erase()));
        await call.Http.Answer(new ErasedAnswer(true, $"{history.Token}", history.Last.Number), WireJson.Default.ErasedAnswer);
    });

    public static Task Revoke(AdminCall call) => call.Act("revoke", async () =>
    {
        var request = new RevokeRequest(new DeviceId(call.Device), Revoked: true);
        var isKnown = UsableId.Is(call.Device) && await Decide(call, grain => grain.Revoke(request));
        if (!isKnown) throw new RequestRefusedException(Problem.NotFound, "The user has no such device.");
        call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    });

    /// <summary>Not given up with its caller: what was begun is finished, and written down.</summary>
    private static ValueTask<T> Decide<T>(AdminCall call, Func<ISyncCoordinatorGrain, Task<Reply<T>>> decide) =>
        call.Coordinator.Decide(decide, CancellationToken.None);

    private static async Task Inspect(AdminCall call, bool hasContent)
    {
        await call.RequireKnown();
        var report = await call.Coordinator.Ask(grain => grain.Inspect(), call.Http.RequestAborted);
        var conflicts = await call.Reader.Conflicts(call.User, after: null, ConflictsShown + 1, call.Http.RequestAborted);
        await call.Http.Answer(Describe(call.User, report, conflicts, hasContent), AdminJson.Default.UserAnswer);
    }

    private static UserAnswer Describe(UserId user, UserReport report, List<ConflictReport> conflicts, bool hasContent)
    {
        var (history, entities) = (report.HistoryState, report.Entities);
        return new UserAnswer(
            user.Value, $"{history.Token}", $"{history.Epoch}", history.Last.Number, history.First.Number, history.Horizon.Number,
            PullWriter.Digest(history), IsoTime.Text(history.CreatedMs), Time(history.LastSyncMs), Time(history.NotBeforeMs),
            new UserEntities(
                entities.Live, entities.Tombstones, entities.Bytes,
                new SortedDictionary<string, int>(entities.ByType, StringComparer.Ordinal)))
        {
            Devices = report.Devices.ConvertAll(device => Describe(device, history.Last.Number)),
            Connections = report.Connections.ConvertAll(Describe),
            Coordinator = Endpoint(report.Coordinator),
            Conflicts = [.. conflicts.Take(ConflictsShown).Select(conflict => Describe(conflict, hasContent))],
            ConflictsHasMore = conflicts.Count > ConflictsShown,
        };
    }

    private static UserDevice Describe(DeviceReport device, long head) => new(
        device.Device.Value, device.Name, IsoTime.Text(device.FirstSeenMs), IsoTime.Text(device.LastSeenMs), device.LastSeq,
        Math.Max(0, head - device.LastSeq), device.Live, device.RevokedMs is not null, IsoTime.Text(device.RevokedMs));

    private static UserConnection Describe(ConnectionReport one) =>
        new(one.ConnectionId, one.Device?.Value, IsoTime.Text(one.OpenedMs), one.Process, Endpoint(one.Silo), one.Seq);

    private static UserConflict Describe(ConflictReport conflict, bool hasContent)
    {
        var shown = new UserConflict(
            conflict.Id, conflict.Entity.Type, conflict.Reason, conflict.WinnerVersion, conflict.Device?.Value,
            IsoTime.Text(conflict.CreatedMs), conflict.Document.Length);
        return hasContent ? shown with { EntityId = conflict.Entity.Id, Document = JsonBytes.OrNull(conflict.Document) } : shown;
    }

    private static string? Time(long ms) => ms == 0 ? null : IsoTime.Text(ms);

    /// <summary>An address without the number that tells a restarted silo from the one before.</summary>
    private static string? Endpoint(string? silo) =>
        string.IsNullOrEmpty(silo) ? null : $"{SiloAddress.FromParsableString(silo).Endpoint}";
}
