using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>
/// The whole REST surface. Authorization and limits stand in <see cref="UserCalls"/>; docs/protocol.md tells what each call means.
/// </summary>
internal static class SyncEndpoints
{
    private const string Prefix = "/api/sync";
    public const string PushPath = $"{Prefix}/push";

    public static void MapSync(this IEndpointRouteBuilder app)
    {
        var sync = app.MapGroup(Prefix).WithTags("sync").ForUsers();

        sync.MapPost("/pull", PullEndpoint.Post).Says("Everything, or what changed since a token.")
            .Takes(Header.IfNoneMatch).Reads<PullShape>(optional: true).Gives<PullAnswerShape>().NotModified().Fails(413);
        sync.MapGet("/pull", PullEndpoint.Get).Says("The same, with its question in the query.")
            .Takes(Header.IfNoneMatch, Query.Since, Query.Types, Query.PullLimit).Gives<PullAnswerShape>().NotModified();
        sync.MapPost("/push", WriteEndpoints.Push).Says(
            "Whole documents, deletions included, each with a result of its own; one transaction.")
            .Takes(Header.Key, Header.StandardKey, Header.Prefer, Header.Merge)
            .Reads<PushShape>().Gives<PushAnswer>().Replays().Fails(413, 415, 422);
        sync.MapPost("/batch", WriteEndpoints.Batch).Says("Entities of any type, with checksums; one transaction.")
            .Takes(Header.Key, Header.StandardKey, Header.Prefer, Header.Merge)
            .Reads<BatchShape>().Gives<BatchAnswer>().Replays().Fails(413, 415, 422);
        sync.MapGet("/status", AccountEndpoints.Status).Says("Where the history stands.").Gives<StatusAnswer>();
        sync.MapGet("/export", ExportEndpoint.Get).Says("Everything of the user as lines of JSON, the last one of kind end.")
            .Gives<ExportLine>("application/x-ndjson");
        sync.MapPost("/import", WriteEndpoints.Import).Says(
            "Restores an export, or some of its lines: what was deleted comes back, what lives is merged.")
            .Reads<ExportLine>(contentType: "application/x-ndjson").Gives<PushAnswer>().Fails(413, 415);
        sync.MapPost("/conflicts/{id}/restore", FeedEndpoints.Restore).Says("Stores a losing document again, as a new change.")
            .Gives<PushAnswer>().Fails(404);
        sync.MapPost("/history/{type}/{id}/{version}/restore", HistoryEndpoints.Restore).Says(
            "Stores the document of a version again, as a new change.").Gives<PushAnswer>().Fails(404);

        // What follows carries no history state in its own answer.
        var rest = sync.MapGroup("").AddEndpointFilter<RouteGroupBuilder, HistoryStateFilter>();
        rest.MapGet("/conflicts", FeedEndpoints.Conflicts).Says("Changes that lost, newest first, kept 30 days.")
            .Takes(Query.After, Query.FeedLimit).Gives<ConflictsAnswer>();
        rest.MapDelete("/conflicts/{id}", FeedEndpoints.Dismiss).Says("Takes a losing document out of the feed for good.")
            .Produces(204).Fails(404);
        rest.MapGet("/history/{type}/{id}", HistoryEndpoints.List).Says("The versions of an entity that are kept, newest first.")
            .Takes(Query.After, Query.HistoryLimit).Gives<HistoryAnswer>().Fails(404);
        rest.MapPost("/rewind", HistoryEndpoints.Rewind).Says("Takes back what arrived after a time, a page of entities at a time.")
            .Reads<RewindShape>().Gives<RewindAnswer>();
        rest.MapGet("/devices", DeviceEndpoints.List).Says("The user's devices, and how far each is.").Gives<DevicesAnswer>();
        rest.MapDelete("/devices/{id}", DeviceEndpoints.Revoke).Says("Turns a device away.").Produces(204).Fails(404);
        rest.MapPost("/devices/{id}/allow", DeviceEndpoints.Allow).Says("Lets a device in again.").Produces(204).Fails(404);
        rest.MapDelete("/data", AccountEndpoints.Erase).Says("Erases everything of the user; other devices hear of it.")
            .Takes(Header.Confirm).Gives<ErasedAnswer>();
        rest.MapPost("/ticket", AccountEndpoints.Ticket).Says("What a page may put into the address of its WebSocket instead of its token.")
            .Gives<TicketAnswer>();
        rest.MapPost("/sign-out-everywhere", AccountEndpoints.SignOutEverywhere).Says("Refuses every token issued before now.")
            .Gives<SignedOutAnswer>();
    }
}
