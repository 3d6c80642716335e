using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Tokens;
using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.Auth;

/// <summary>Answers a request without a valid token. Existing clients sign the user out on a 401, so it means the token and nothing else.</summary>
internal static class TokenChallenge
{
    public static Task Answer(JwtBearerChallengeContext challenge)
    {
        challenge.HandleResponse();
        var http = challenge.HttpContext;
        var problem = Why(challenge.AuthenticateFailure);
        if (problem is not Problem.AuthorityUnavailable && !http.RequestServices.GetRequiredService<RefusedTokens>().Count(http.Connection.RemoteIpAddress))
            problem = Problem.RefusedTooOften;
        return ProblemAnswers.Write(http, problem);
    }

    private static Problem Why(Exception? failure) => failure switch
    {
        null => Problem.MissingToken,
        SecurityTokenExpiredException => Problem.TokenExpired,
        AggregateException many when many.InnerExceptions.Any(IsUnreachable) => Problem.AuthorityUnavailable,
        _ when IsUnreachable(failure) => Problem.AuthorityUnavailable,
        _ => Problem.InvalidToken,
    };

    // The authority's keys could not be fetched: that says nothing about the token.
    private static bool IsUnreachable(Exception failure) =>
        failure is HttpRequestException or IOException or TaskCanceledException
        || (failure is InvalidOperationException or SecurityTokenSignatureKeyNotFoundException && failure.Message.StartsWith("IDX208", StringComparison.Ordinal))
        || (failure.InnerException is { } inner && IsUnreachable(inner));
}
