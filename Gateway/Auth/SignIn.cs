using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.AspNetCore.Authorization.Policy;

namespace Mirubato.Gateway.Auth;

/// <summary>
/// Signs in by the token of a request. What was found valid a moment ago is signed in without the framework's way to the same result, which
/// took 10 µs of each request; every other token goes that way.
/// </summary>
internal static class SignIn
{
    private const string Bearer = "Bearer ";

    /// <summary>Where the framework puts down that it need not add its own middleware in front of everything.</summary>
    private const string IsSet = "__AuthenticationMiddlewareSet";

    public static void Use(WebApplication app)
    {
        ((IApplicationBuilder)app).Properties[IsSet] = true;
        var tokens = app.Services.GetRequiredService<RememberingTokenHandler>();
        app.Use((http, next) =>
        {
            if (FindRemembered(http, tokens) is not { } user) return Authenticate(http, next);
            SetUser(http, user.Result);
            return next(http);
        });
        app.UseAuthorization();
    }

    private static TokenUser? FindRemembered(HttpContext http, RememberingTokenHandler tokens)
    {
        var header = http.Request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } text || !text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return null;
        return tokens.FindUser(text.AsSpan(Bearer.Length).Trim());
    }

    private static async Task Authenticate(HttpContext http, RequestDelegate next)
    {
        var result = await http.AuthenticateAsync(JwtBearerDefaults.AuthenticationScheme);
        if (result.Succeeded) SetUser(http, result);
        await next(http);
    }

    private static void SetUser(HttpContext http, AuthenticateResult result)
    {
        http.User = result.Principal!;
        http.Features.Set<IAuthenticateResultFeature>(new Feature { AuthenticateResult = result });
    }

    private sealed class Feature : IAuthenticateResultFeature
    {
        public AuthenticateResult? AuthenticateResult { get; set; }
    }
}

/// <summary>What is open to each user needs no handlers to be asked: that there is a user is all of the default policy.</summary>
internal sealed class UserPolicyEvaluator(IAuthorizationService authorization) : PolicyEvaluator(authorization)
{
    private static readonly Task<PolicyAuthorizationResult> Allowed = Task.FromResult(PolicyAuthorizationResult.Success());

    public override Task<PolicyAuthorizationResult> AuthorizeAsync(
        AuthorizationPolicy policy, AuthenticateResult authenticationResult, HttpContext context, object? resource) =>
        context.User is TokenUser && policy is { AuthenticationSchemes.Count: 0, Requirements: [DenyAnonymousAuthorizationRequirement] }
            ? Allowed
            : base.AuthorizeAsync(policy, authenticationResult, context, resource);
}
