using System.Globalization;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Socket;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

internal static class TicketEndpoint
{
    public static async Task Issue(Call call, SocketTickets tickets)
    {
        var origin = call.Http.Request.Headers.Origin.ToString();
        var facts = new TokenFacts(call.Caller.User, call.Caller.TokenIssuedAtMs, ExpiresMs(call));
        var (ticket, expiresMs) = await tickets.Issue(facts, origin.Length == 0 ? null : origin, call.Cancel);
        await call.Http.Answer(new TicketAnswer(ticket, WireTime.Iso(expiresMs)), WireJson.Default.TicketAnswer);
    }

    private static long ExpiresMs(Call call) =>
        double.TryParse(call.Http.User.FindFirst("exp")?.Value, CultureInfo.InvariantCulture, out var seconds) && Math.Abs(seconds) < 1e11 ? (long)(seconds * 1000) : 0;
}
