using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.WebApp;

/// <summary>
/// Calls of the app that belong to the service which issues the tokens. No token is required, because a caller that signs in has none.
/// </summary>
internal static class NotOfferedEndpoints
{
    public static void MapNotOffered(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/auth/logout", SignOut).ExcludeFromDescription();
        app.Map("/api/auth/{**path}", SignIn).ExcludeFromDescription();
    }

    /// <summary>Tokens are stateless, so there is nothing to do; the app would say that signing out failed if this did.</summary>
    private static Task SignOut(HttpContext http) => http.Answer(new SignedOut(true, "Signed out"), WebAppJson.Default.SignedOut);

    // The app shows it to its user.
    private static Task SignIn(HttpContext _) =>
        throw new RequestRefusedException(Problem.NotOffered, "Signing in is not offered by this server.");
}
