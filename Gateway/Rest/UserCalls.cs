using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.Rest;

/// <summary>What holds for every call that a user makes, stated once.</summary>
internal static class UserCalls
{
    public static RouteGroupBuilder ForUsers(this RouteGroupBuilder calls) => calls
        .RequireAuthorization()
        .WithMetadata(new RateLimitMetadata(Applies: true))
        .WithMetadata(new TakesMetadata([Header.Device, Header.Schema]))
        .Fails(400, 401, 403, 409, 429, 500, 503);
}
