using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.IdentityModel.Tokens;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Options;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Gateway;

/// <summary>Tokens of an OpenID Connect authority, while it answers, hangs, fails and changes its key.</summary>
public sealed class AuthorityTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Attempt = TimeSpan.FromMilliseconds(Limits.AuthorityAttemptMs);
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(Limits.AuthorityRetryMs);

    private readonly FakeClock clock = new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
    private TestAuthority authority = null!;
    private RememberingTokenHandler handler = null!;
    private TokenValidationParameters rules = null!;

    public async Task InitializeAsync()
    {
        authority = await TestAuthority.Start();
        handler = new RememberingTokenHandler(
            clock, new AuthorityKeys(authority.Url, clock, NullLogger<AuthorityKeys>.Instance))
        { MapInboundClaims = false };
        rules = BearerTokens.Rules(new AuthOptions(null, authority.Url, null, TestAuthority.Audience, false));
    }

    public async Task DisposeAsync() => await authority.DisposeAsync();

    public void Dispose() => handler.Dispose();

    [Fact]
    public async Task A_hundred_requests_share_one_attempt_at_a_hanging_authority_and_its_failure_is_remembered()
    {
        authority.Hang();
        var waiting = Enumerable.Range(0, 100).Select(i => Task.Run(() => Check(authority.Token($"user-{i}")))).ToList();
        await authority.Asked.WaitAsync(Patience);
        clock.Advance(Attempt);
        var results = await Task.WhenAll(waiting).WaitAsync(Patience);
        Assert.All(results, result => Assert.IsType<AuthorityUnavailableException>(result.Exception));
        Assert.Equal(1, authority.Asks);

        clock.Advance(Retry - TimeSpan.FromMilliseconds(1));
        Assert.IsType<AuthorityUnavailableException>((await Check(authority.Token())).Exception);
        Assert.Equal(1, authority.Asks);

        authority.AnswerAgain();
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True((await Check(authority.Token())).IsValid);
        Assert.Equal(2, authority.Asks);
    }

    [Fact]
    public async Task While_bad_tokens_use_up_the_attempts_a_token_under_a_rotated_key_is_never_refused_and_counts_within_seconds()
    {
        Assert.True((await Check(authority.Token())).IsValid);
        clock.Advance(Retry);
        Assert.IsAssignableFrom<SecurityTokenSignatureKeyNotFoundException>((await Check(authority.Token(keyId: "made up"))).Exception);
        Assert.Equal(2, authority.Asks);

        authority.ChangeKey("second");
        clock.Advance(Second);
        Assert.IsType<AuthorityUnavailableException>((await Check(authority.Token())).Exception);
        clock.Advance(Retry - Second);
        Assert.True((await Check(authority.Token())).IsValid);
        Assert.Equal(3, authority.Asks);
    }

    [Fact]
    public async Task While_the_authority_fails_known_keys_count_and_unknown_ones_are_not_refused()
    {
        Assert.True((await Check(authority.Token())).IsValid);
        authority.Fails = true;
        clock.Advance(TimeSpan.FromMilliseconds(Limits.AuthorityKeysMs));
        Assert.True((await Check(authority.Token("bob"))).IsValid);
        clock.Advance(Retry);
        Assert.IsType<AuthorityUnavailableException>((await Check(authority.Token(keyId: "unknown"))).Exception);
    }

    [Fact]
    public async Task Keys_of_some_minutes_are_read_again_and_a_withdrawn_one_counts_no_longer()
    {
        var old = authority.Token();
        Assert.True((await Check(old)).IsValid);
        authority.ChangeKey("second");
        clock.Advance(TimeSpan.FromMilliseconds(Limits.AuthorityKeysMs) - Second);
        Assert.True((await Check(old)).IsValid);
        Assert.Equal(1, authority.Asks);

        clock.Advance(TimeSpan.FromMinutes(1) + Second);
        await Check(old);
        Assert.True((await Check(authority.Token())).IsValid);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False((await Check(old)).IsValid);
    }

    [Fact]
    public async Task A_token_that_no_key_would_make_count_asks_for_none()
    {
        Assert.True((await Check(authority.Token())).IsValid);
        clock.Advance(Retry);
        foreach (var token in (string[])
        [
            authority.Token(audience: "another application", keyId: "x"), authority.Token(
                keyId: "x", expires: DateTimeOffset.UtcNow.AddHours(-1)), Edge.Token(), "garbage",
        ])
        {
            var result = await Check(token);
            Assert.False(result.IsValid);
            Assert.IsNotType<AuthorityUnavailableException>(result.Exception);
        }

        Assert.Equal(1, authority.Asks);
    }

    [Fact]
    public async Task A_token_counts_for_its_own_audience_only()
    {
        await using var edge = await Edge.Start(
            "--Auth:Secret=", $"--Auth:Authority={authority.Url}", $"--Auth:Audience={TestAuthority.Audience}");
        Assert.Equal(HttpStatusCode.OK, (await Status(edge, authority.Token())).StatusCode);
        await (await Status(edge, authority.Token(audience: "another application"))).Problem(401, "INVALID_TOKEN");
        await (await Status(edge, authority.Token(keyId: "unknown"))).Problem(503, "AUTHORITY_UNAVAILABLE");
    }

    private Task<TokenValidationResult> Check(string token) => handler.ValidateTokenAsync(token, rules);

    private static Task<HttpResponseMessage> Status(Edge edge, string token) =>
        edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/status", token: token));
}
