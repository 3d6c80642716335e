using System.Security.Claims;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway.WebApp;

/// <summary>
/// Who the token says is calling. Apps ask this to learn whether they are still signed in, and sign out when it fails: so it is never
/// refused for being asked too often, and waits for the store only so long. A user who calls too often is answered from the token alone.
/// </summary>
internal static class MeEndpoint
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    public static void MapMe(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/user/me", Get).WithMetadata(new RateLimitMetadata(Applies: false)).Says("Who the token speaks for.")
            .Gives<MeAnswer>();

    private static async Task Get(Call call, UserRates rates)
    {
        var history = rates.TryTake(call.Caller.User) ? await HistoryState(call) : null;
        if (history is not null) RequestRefusedException.ThrowIf(history.Refusal(call.Caller));
        var user = call.Http.User;
        var email = Claim(user, "email");
        var answer = new MeAnswer(
            call.Caller.User.Value,
            email,
            Claim(user, "name") ?? (email ?? call.Caller.User.Value).Split('@')[0],
            Claim(user, "authProvider") ?? "magic_link",
            Claim(user, "role") ?? "user",
            IsoTime.Text(history?.CreatedMs));
        await call.Http.Answer(answer, WebAppJson.Default.MeAnswer);
    }

    /// <summary>Null while the store does not answer.</summary>
    private static async Task<HistoryState?> HistoryState(Call call)
    {
        using var over = new CancellationTokenSource(Patience, call.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, call.Cancel);
        try
        {
            return await call.Coordinator.HistoryState(call.Caller, either.Token).AsTask().WaitAsync(either.Token);
        }
        catch (Exception away) when (
            away is StoreUnavailableException || (away is OperationCanceledException && !call.Cancel.IsCancellationRequested))
        {
            return null;
        }
    }

    private static string? Claim(ClaimsPrincipal user, string name) => user.FindFirst(name)?.Value is { Length: > 0 } value ? value : null;
}
