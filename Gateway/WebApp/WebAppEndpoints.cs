using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway.WebApp;

/// <summary>The calls the existing web app makes beside sync, over the same entities: what they write synchronizes like any push.</summary>
internal static class WebAppEndpoints
{
    public static void MapWebApp(this IEndpointRouteBuilder app)
    {
        var calls = app.MapGroup("").WithTags("web app").ForUsers();
        calls.MapMe();

        // Before any body is read: a caller without access learns that, and not what is wrong with its body.
        var rest = calls.MapGroup("").AddEndpointFilter<RouteGroupBuilder, HistoryStateFilter>();
        rest.MapPreferences();
        rest.MapRepertoire();
        rest.MapGoals();
        rest.MapPieces();
        rest.MapTemplates();
        rest.MapAutocomplete();
        app.MapNotOffered();
    }
}
