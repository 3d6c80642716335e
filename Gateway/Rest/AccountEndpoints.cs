using System.Globalization;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Socket;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

internal static class AccountEndpoints
{
    public static async Task Status(Call call)
    {
        var report = await call.Coordinator.Status(call.Caller, call.Cancel);
        var history = report.HistoryState;
        RequestRefusedException.ThrowIf(history.Refusal(call.Caller));
        var answer = new StatusAnswer(
            history.LastSyncMs == 0 ? null : IsoTime.Text(history.LastSyncMs),
            history.Token.ToString(),
            history.Last.Number,
            PendingChanges: 0,
            report.Devices,
            report.LiveEntities.Values.Sum(),
            report.LiveEntities,
            report.Connections,
            PullWriter.Digest(history),
            ProtocolVersion.Current);
        await call.Http.Answer(answer, WireJson.Default.StatusAnswer);
    }

    public static async Task Erase(Call call, UserConcurrency concurrency)
    {
        if (call.Http.Request.Headers[CommonHeaders.Confirm].ToString() != "erase")
        {
            throw new RequestRefusedException(Problem.ConfirmationRequired);
        }

        var history = await concurrency.Long(
            call.Caller.User, () => call.Coordinator.Decide(grain => grain.Erase(), CancellationToken.None));
        await call.Http.Answer(new ErasedAnswer(true, history.Token.ToString(), history.Last.Number), WireJson.Default.ErasedAnswer);
    }

    public static async Task SignOutEverywhere(Call call)
    {
        var notBefore = await call.Decide(grain => grain.SignOutEverywhere());
        await call.Http.Answer(new SignedOutAnswer(true, IsoTime.Text(notBefore)), WireJson.Default.SignedOutAnswer);
    }

    public static async Task Ticket(Call call, SocketTickets tickets)
    {
        var origin = call.Http.Request.Headers.Origin.ToString();
        var facts = new TokenFacts(call.Caller.User, call.Caller.TokenIssuedAtMs, TokenExpiresMs(call));
        var (ticket, expiresMs) = await tickets.Issue(facts, origin.Length == 0 ? null : origin, call.Cancel);
        await call.Http.Answer(new TicketAnswer(ticket, IsoTime.Text(expiresMs)), WireJson.Default.TicketAnswer);
    }

    private static long TokenExpiresMs(Call call) =>
        double.TryParse(call.Http.User.FindFirst("exp")?.Value, CultureInfo.InvariantCulture, out var seconds) && Math.Abs(seconds) < 1e11
            ? (long)(seconds * 1000)
            : 0;
}
