using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway.WebApp;

/// <summary>Calls of the app that belong to other services, answered so that whoever sees it knows where they go.</summary>
internal static class Elsewhere
{
    public static void MapElsewhere(this IEndpointRouteBuilder app)
    {
        // No token is asked for: who signs in has none.
        app.Map("/api/auth/{**path}", SignIn).ExcludeFromDescription();
        app.Map("/api/templates/adopt", Adopt).RequireAuthorization().RequireRateLimiting(RateLimits.PerUser).ExcludeFromDescription();
    }

    private static Task SignIn(HttpContext _) => throw new RequestRefusedException(Problem.NotOffered,
        "Signing in, refreshing and signing out belong to the identity service that issues the tokens; this server only checks them. To refuse every token issued so far, POST /api/sync/sign-out-everywhere.");

    private static Task Adopt(Call _) => throw new RequestRefusedException(Problem.NotOffered,
        "Adopting a template reads another user's data, which this server keeps apart; send it to the template service, and push the adopted copy as a planTemplates item.");
}
