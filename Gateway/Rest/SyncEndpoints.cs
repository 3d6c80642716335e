using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>The whole REST surface. Authorization and limits stand in <see cref="UserCalls"/>; PROTOCOL.md tells what each call means.</summary>
internal static class SyncEndpoints
{
    public static void MapSync(this IEndpointRouteBuilder app)
    {
        var sync = app.MapGroup("/api/sync").WithTags("sync").OfUsers();

        sync.MapPost("/pull", PullEndpoint.Post).Says("Everything, or what changed since a token.")
            .Takes(Header.Device, Header.Schema, Header.IfNoneMatch).Reads<PullShape>(optional: true).Gives<PullAnswerShape>().NotModified().Fails(413);
        sync.MapGet("/pull", PullEndpoint.Get).Says("The same, with its question in the query.")
            .Takes(Header.Device, Header.Schema, Header.IfNoneMatch, Query.Since, Query.Types, Query.PullLimit).Gives<PullAnswerShape>().NotModified();
        sync.MapPost("/push", WriteEndpoints.Push).Says("Whole documents, deletions included, each with a result of its own; one transaction.")
            .Takes(Header.Device, Header.Schema, Header.Key, Header.StandardKey, Header.Prefer).Reads<PushShape>().Gives<PushAnswer>().Replays().Fails(413, 415, 422);
        sync.MapPost("/batch", WriteEndpoints.Batch).Says("Entities of any type, with checksums; one transaction.")
            .Takes(Header.Device, Header.Schema, Header.Key, Header.StandardKey, Header.Prefer).Reads<BatchShape>().Gives<BatchAnswer>().Replays().Fails(413, 415, 422);
        sync.MapGet("/status", StatusEndpoint.Get).Says("Where the history stands.")
            .Takes(Header.Device, Header.Schema).Gives<StatusAnswer>();
        sync.MapGet("/export", ExportEndpoint.Get).Says("Everything of the user as lines of JSON, the last one of kind end.")
            .Takes(Header.Device, Header.Schema).Gives<ExportLine>("application/x-ndjson");
        sync.MapPost("/conflicts/{id}/restore", FeedEndpoints.Restore).Says("Stores a losing document again, as a new change.")
            .Takes(Header.Device, Header.Schema).Gives<PushAnswer>().Fails(404);

        // What follows carries no standing in its own answer.
        var rest = sync.MapGroup("").AddEndpointFilter<RouteGroupBuilder, StandingFilter>();
        rest.MapGet("/conflicts", FeedEndpoints.Conflicts).Says("Changes that lost, newest first, kept 30 days.")
            .Takes(Header.Device, Header.Schema, Query.After, Query.FeedLimit).Gives<ConflictsAnswer>();
        rest.MapDelete("/conflicts/{id}", FeedEndpoints.Dismiss).Says("Takes a losing document out of the feed for good.")
            .Takes(Header.Device, Header.Schema).GivesNothing().Fails(404);
        rest.MapGet("/devices", DeviceEndpoints.List).Says("The user's devices, and how far each is.")
            .Takes(Header.Device, Header.Schema).Gives<DevicesAnswer>();
        rest.MapDelete("/devices/{id}", DeviceEndpoints.Revoke).Says("Turns a device away.")
            .Takes(Header.Device, Header.Schema).GivesNothing().Fails(404);
        rest.MapPost("/devices/{id}/allow", DeviceEndpoints.Allow).Says("Lets a device in again.")
            .Takes(Header.Device, Header.Schema).GivesNothing().Fails(404);
        rest.MapDelete("/data", AccountEndpoints.Erase).Says("Erases everything of the user; other devices hear of it.")
            .Takes(Header.Device, Header.Schema, Header.Confirm).Gives<ErasedAnswer>();
        rest.MapPost("/ticket", TicketEndpoint.Issue).Says("What a page may put into the address of its WebSocket instead of its token.")
            .Takes(Header.Device, Header.Schema).Gives<TicketAnswer>();
        rest.MapPost("/sign-out-everywhere", AccountEndpoints.SignOutEverywhere).Says("Refuses every token issued before now.")
            .Takes(Header.Device, Header.Schema).Gives<SignedOutAnswer>();
    }
}
