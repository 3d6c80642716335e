using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Tokens;
using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.Auth;

/// <summary>Answers a request without a valid token. Existing clients sign the user out on a 401, so it means the token and nothing else.</summary>
internal static class TokenChallenge
{
    public static async Task Answer(JwtBearerChallengeContext challenge)
    {
        challenge.HandleResponse();
        var http = challenge.HttpContext;
        var problem = Why(challenge.AuthenticateFailure);
        if (problem is Problem.InvalidToken && !await HasKeys(challenge)) problem = Problem.AuthorityUnavailable;
        if (problem is not Problem.AuthorityUnavailable && !http.RequestServices.GetRequiredService<RefusedTokens>().Count(http.Connection.RemoteIpAddress))
            problem = Problem.RefusedTooOften;
        await ProblemAnswers.Write(http, problem);
    }

    private static Problem Why(Exception? failure) => failure switch
    {
        null => Problem.MissingToken,
        SecurityTokenExpiredException => Problem.TokenExpired,
        _ => Problem.InvalidToken,
    };

    /// <summary>Without the authority's keys nothing is known of the token: it fails, and is not to blame.</summary>
    private static async ValueTask<bool> HasKeys(JwtBearerChallengeContext challenge)
    {
        if (challenge.Options.ConfigurationManager is not { } authority) return true;
        try
        {
            await authority.GetConfigurationAsync(challenge.HttpContext.RequestAborted);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }
}
