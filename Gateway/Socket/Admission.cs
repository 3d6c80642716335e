using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Socket;

/// <summary>Why an upgrade is not made. Existing clients know the bodies of the first three.</summary>
internal sealed class UpgradeRefusedException(int status, string error) : Exception(error)
{
    public int Status { get; } = status;
}

/// <summary>
/// Whom an upgrade lets in: by a token in the query, one among the subprotocols, or a ticket. The first two need no store.
/// </summary>
internal sealed class Admission(TokenCheck tokens, SocketTickets tickets, AllowedOrigins origins, RefusedTokens refused)
{
    public const string Subprotocol = "mirubato.sync.v1";
    private const string BearerPrefix = "bearer.";

    public async ValueTask<TokenFacts> Admit(HttpContext http)
    {
        var origin = Origin(http.Request);
        var hidden = http.Features.Get<RedactedQuery>();
        var userId = hidden?["userId"] ?? "";
        TokenFacts? facts;
        if (hidden?["ticket"] is { Length: > 0 } ticket) facts = await Redeem(http, ticket, origin);
        else if (Bearer(http) is { } offered) facts = await tokens.Check(offered);
        else if (userId.Length > 0 && hidden?["token"] is { Length: > 0 } token) facts = await tokens.Check(token);
        else throw new UpgradeRefusedException(StatusCodes.Status400BadRequest, "Missing userId or token");

        if (facts is null) throw Invalid(http);
        return userId.Length == 0 || userId == facts.User.Value
            ? facts
            : throw new UpgradeRefusedException(StatusCodes.Status403Forbidden, "User ID mismatch");
    }

    /// <summary>What the client is to be told was chosen: never the token.</summary>
    public static string? Chosen(HttpContext http) =>
        http.WebSockets.WebSocketRequestedProtocols.Contains(Subprotocol) ? Subprotocol : null;

    /// <summary>The address's budget comes first: a guess must cost less than a look at any user.</summary>
    private async ValueTask<TokenFacts?> Redeem(HttpContext http, string ticket, string? origin)
    {
        if (refused.IsUsedUp(http.Connection.RemoteIpAddress)) throw TooOften();
        try
        {
            return await tickets.Redeem(ticket, origin, http.RequestAborted);
        }
        catch (StoreUnavailableException)
        {
            throw new UpgradeRefusedException(
                StatusCodes.Status503ServiceUnavailable, "The ticket cannot be checked now; connect again with another");
        }
    }

    private static UpgradeRefusedException TooOften() =>
        new(StatusCodes.Status429TooManyRequests, "Too many refused tokens from this address");

    private UpgradeRefusedException Invalid(HttpContext http) =>
        refused.Count(http.Connection.RemoteIpAddress)
            ? new UpgradeRefusedException(StatusCodes.Status401Unauthorized, "Invalid or expired token")
            : TooOften();

    /// <summary>Absent outside browsers; else the page's own server, or one on the list.</summary>
    private string? Origin(HttpRequest request)
    {
        if (request.Headers.Origin.ToString() is not { Length: > 0 } origin) return null;
        var own = AllowedOrigins.IsWebOrigin(origin)
            && string.Equals(new Uri(origin).Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
        return own || origins.Allows(origin)
            ? origin
            : throw new UpgradeRefusedException(StatusCodes.Status403Forbidden, "Origin not allowed");
    }

    private static string? Bearer(HttpContext http)
    {
        var offered = http.WebSockets.WebSocketRequestedProtocols;
        if (offered.FirstOrDefault(one => one.StartsWith(BearerPrefix, StringComparison.Ordinal)) is not { } bearer) return null;
        return offered.Contains(Subprotocol)
            ? bearer[BearerPrefix.Length..]
            : throw new UpgradeRefusedException(StatusCodes.Status400BadRequest, $"Offer {Subprotocol} beside the token");
    }
}
