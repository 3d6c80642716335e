using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Tokens;
using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.Auth;

/// <summary>
/// Answers a request without a valid token. Existing clients sign the user out on a 401, so it means the token and nothing else.
/// </summary>
internal static class TokenChallenge
{
    public static async Task Answer(JwtBearerChallengeContext challenge)
    {
        challenge.HandleResponse();
        var http = challenge.HttpContext;
        var problem = Why(challenge.AuthenticateFailure);
        if (IsGuess(problem) && !http.RequestServices.GetRequiredService<RefusedTokens>().Count(http.Connection.RemoteIpAddress))
            problem = Problem.RefusedTooOften;
        await ProblemAnswers.Write(http, problem);
    }

    private static Problem Why(Exception? failure) => failure switch
    {
        null => Problem.MissingToken,
        AuthorityUnavailableException => Problem.AuthorityUnavailable,
        SecurityTokenExpiredException => Problem.TokenExpired,
        _ => Problem.InvalidToken,
    };

    /// <summary>A request without a token guesses nothing, and one that could not be checked is not to blame.</summary>
    private static bool IsGuess(Problem problem) => problem is Problem.TokenExpired or Problem.InvalidToken;
}
