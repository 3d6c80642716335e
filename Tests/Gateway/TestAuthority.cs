using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Mirubato.Tests.Gateway;

/// <summary>An OpenID Connect provider on a free loopback port, which can change its key, hang and fail.</summary>
internal sealed class TestAuthority : IAsyncDisposable
{
    public const string Audience = "mirubato-sync";

    private readonly WebApplication app;
    private TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? hanging;
    private (string Id, ECDsa Pair) key = ("first", ECDsa.Create(ECCurve.NamedCurves.nistP256));
    private int asks;

    private TestAuthority(WebApplication app) => this.app = app;

    public string Url => app.Urls.Single();

    /// <summary>How often it was asked for what it says of itself.</summary>
    public int Asks => Volatile.Read(ref asks);

    public bool Fails { get; set; }

    /// <summary>Done once it has been asked.</summary>
    public Task Asked => asked.Task;

    public static async Task<TestAuthority> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var authority = new TestAuthority(app);
        app.MapGet("/.well-known/openid-configuration", (Delegate)authority.Configuration);
        app.MapGet("/keys", authority.Keys);
        await app.StartAsync();
        return authority;
    }

    public void Hang()
    {
        hanging = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void AnswerAgain() => Interlocked.Exchange(ref hanging, null)?.TrySetResult();

    public void ChangeKey(string id) => key = (id, ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <param name="keyId">Of a key that is not the authority's.</param>
    public string Token(string sub = "ada", string audience = Audience, string? keyId = null, DateTimeOffset? expires = null)
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Claims = new Dictionary<string, object>
            {
                ["sub"] = sub,
                ["iss"] = Url,
                ["aud"] = audience,
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = (expires ?? now.AddHours(1)).ToUnixTimeSeconds(),
            },
            SigningCredentials = new SigningCredentials(
                new ECDsaSecurityKey(keyId is null ? key.Pair : other)
                {
                    KeyId = keyId ?? key.Id,
                    CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
                },
                SecurityAlgorithms.EcdsaSha256),
        });
    }

    public async ValueTask DisposeAsync()
    {
        AnswerAgain();
        await app.DisposeAsync();
        key.Pair.Dispose();
    }

    private async Task<string> Configuration(Microsoft.AspNetCore.Http.HttpContext http)
    {
        Interlocked.Increment(ref asks);
        asked.TrySetResult();
        if (hanging is { } until) await until.Task.WaitAsync(http.RequestAborted);
        if (Fails) throw new InvalidOperationException("Out of order.");
        return $$"""{"issuer":"{{Url}}","jwks_uri":"{{Url}}/keys"}""";
    }

    private string Keys()
    {
        var point = key.Pair.ExportParameters(includePrivateParameters: false).Q;
        var (x, y) = (Base64UrlEncoder.Encode(point.X!), Base64UrlEncoder.Encode(point.Y!));
        return $$"""{"keys":[{"kty":"EC","crv":"P-256","use":"sig","kid":"{{key.Id}}","x":"{{x}}","y":"{{y}}"}]}""";
    }
}
