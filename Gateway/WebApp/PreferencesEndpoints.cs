using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.WebApp;

internal static class PreferencesEndpoints
{
    private static readonly EntityType Type = EntityTypes.UserPreferences;
    private static readonly byte[] None = "{}"u8.ToArray();

    public static void MapPreferences(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/user/preferences", Get).Says("The user's preferences.").Gives<JsonBytes>();
        app.MapPut("/api/user/preferences", Put).Says("Changes the members that are sent; the others stay.")
            .Takes(Header.Key, Header.StandardKey).Reads<JsonBytes>().Gives<JsonBytes>().Replays().Fails(413, 415, 422);
    }

    private static async Task Get(Call call) => await Answer(call, new Documents(call));

    private static async Task Put(Call call, RequestBodies bodies)
    {
        var body = await bodies.Read(call.Http, call.Caller.User);
        var sent = JsonMembers.ParseRequest(body);
        var documents = new Documents(call);
        await documents.Update(Type, call.Caller.User.Value, RequestKey.From(call, body), stored =>
        {
            var document = stored.IsLive ? stored.Members : new JsonMembers();
            document.Merge(sent);
            document.SetUpdatedAt(Type, documents.NowMs);
            return new Edit(document);
        });
        await Answer(call, documents);
    }

    private static async Task Answer(Call call, Documents documents)
    {
        var stored = await documents.Find(Type, call.Caller.User.Value);
        await call.Http.Answer(StatusCodes.Status200OK, stored.IsLive ? stored.Row!.Data : None, ContentTypes.Json);
    }
}
