using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>What concerns the user as a whole.</summary>
internal static class AccountEndpoints
{
    public static async Task Erase(Call call)
    {
        if (call.Http.Request.Headers[CommonHeaders.Confirm].ToString() != "erase") throw new RequestRefusedException(Problem.ConfirmationRequired);
        var standing = await call.Coordinator.Erase(call.Cancel);
        await call.Http.Answer(new ErasedAnswer(true, standing.Token.ToString(), standing.Last.Number), WireJson.Default.ErasedAnswer);
    }

    public static async Task SignOutEverywhere(Call call)
    {
        var notBefore = await call.Coordinator.SignOutEverywhere(call.Cancel);
        await call.Http.Answer(new SignedOutAnswer(true, WireTime.Iso(notBefore)), WireJson.Default.SignedOutAnswer);
    }
}
