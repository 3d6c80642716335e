using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.IdentityModel.Logging;
using Microsoft.IdentityModel.Tokens;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Auth;

/// <summary>Who a token speaks for, and which tokens count. docs/protocol.md, Identity.</summary>
internal static class BearerTokens
{
    private static readonly string[] SecretAlgorithms = [SecurityAlgorithms.HmacSha256];
    private static readonly string[] AuthorityAlgorithms = [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.EcdsaSha256];

    public static void Configure(IServiceCollection services, AuthOptions auth, TimeProvider time)
    {
        IdentityModelEventSource.ShowPII = false;
        IdentityModelEventSource.LogCompleteSecurityArtifact = false;
        services.AddAuthorization();
        services.AddSingleton<IPolicyEvaluator, UserPolicyEvaluator>();
        services.AddSingleton(
            provider => new RememberingTokenHandler(time, Keys(provider, auth.Authority, time)) { MapInboundClaims = false });
        services.AddAuthentication(schemes =>
        {
            // None to authenticate by: SignIn does that.
            schemes.DefaultChallengeScheme = JwtBearerDefaults.AuthenticationScheme;
            schemes.DefaultForbidScheme = JwtBearerDefaults.AuthenticationScheme;
        }).AddJwtBearer(bearer =>
        {
            bearer.MapInboundClaims = false;
            bearer.SaveToken = false;
            bearer.IncludeErrorDetails = false;
            bearer.TokenValidationParameters = Rules(auth);
            bearer.TokenHandlers.Clear();
            bearer.Events = new JwtBearerEvents { OnTokenValidated = RequireSubject, OnChallenge = TokenChallenge.Answer };
        });
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme).Configure<RememberingTokenHandler>(
            (bearer, handler) => bearer.TokenHandlers.Add(handler));
    }

    private static AuthorityKeys? Keys(IServiceProvider provider, string? authority, TimeProvider time) =>
        authority is null ? null : new AuthorityKeys(authority, time, provider.GetRequiredService<ILogger<AuthorityKeys>>());

    public static TokenValidationParameters Rules(AuthOptions auth) => new()
    {
        ValidAlgorithms = auth.Secret is null ? AuthorityAlgorithms : SecretAlgorithms,
        IssuerSigningKey = auth.Secret is null ? null : new SymmetricSecurityKey(Encoding.UTF8.GetBytes(auth.Secret)),
        ValidateIssuerSigningKey = true,
        RequireSignedTokens = true,
        // A token that would not count under any key is no reason to ask the authority for newer ones.
        ValidateSignatureLast = auth.Authority is not null,
        RequireExpirationTime = true,
        ValidateLifetime = true,
        ClockSkew = TimeSpan.FromSeconds(60),
        ValidateIssuer = auth.Issuer is not null || auth.Authority is not null,
        ValidIssuer = auth.Issuer,
        ValidateAudience = auth.Audience is not null,
        ValidAudience = auth.Audience,
        NameClaimType = "sub",
        RoleClaimType = "role",
    };

    private static Task RequireSubject(TokenValidatedContext context)
    {
        if (Subject(context.Principal) is null) context.Fail(new SecurityTokenException("The token names no usable sub."));
        return Task.CompletedTask;
    }

    /// <summary>The one <c>sub</c>, a text; null when there is none, several, or one that is no usable id.</summary>
    public static string? Subject(ClaimsPrincipal? principal)
    {
        if (principal is TokenUser known) return known.Subject;
        Claim? found = null;
        foreach (var claim in principal?.Claims ?? [])
        {
            if (claim.Type != "sub") continue;
            if (found is not null) return null;
            found = claim;
        }

        return found is { ValueType: ClaimValueTypes.String } && UsableId.Is(found.Value) ? found.Value : null;
    }

    /// <summary>
    /// When the token was issued, Unix ms. One that does not say counts as issued long ago, so that signing out everywhere holds for it.
    /// </summary>
    public static long IssuedAtMs(ClaimsPrincipal principal) =>
        principal is TokenUser known ? known.IssuedAtMs : ParseIssuedAt(principal.FindFirst("iat")?.Value);

    public static long ParseIssuedAt(string? iat) =>
        double.TryParse(
            iat, System.Globalization.CultureInfo.InvariantCulture, out var seconds) && Math.Abs(seconds) < 1e11
            ? (long)(seconds * 1000)
            : 0;
}
