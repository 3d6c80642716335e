using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Options;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Gateway;

public sealed class AuthTests
{
    private static readonly string Long = new('k', 64);

    private static string Unsigned()
    {
        static string Part(string json) => Base64UrlEncoder.Encode(json);
        return $"{Part("""{"alg":"none","typ":"JWT"}""")}.{Part("""{"sub":"ada","exp":4102444800}""")}.";
    }

    private static IEnumerable<(string Why, string Token, string Code)> Hostile() =>
    [
        ("no JWT", "garbage", "INVALID_TOKEN"),
        ("no JWT in three parts", "a.b.c", "INVALID_TOKEN"),
        ("alg none", Unsigned(), "INVALID_TOKEN"),
        ("another secret", Edge.Token(secret: "another secret that is long enough too"), "INVALID_TOKEN"),
        ("another algorithm", Edge.Token(algorithm: SecurityAlgorithms.HmacSha512, secret: Long), "INVALID_TOKEN"),
        ("expired past the skew", Edge.Token(secret: Long, expires: DateTimeOffset.UtcNow.AddSeconds(-90)), "TOKEN_EXPIRED"),
        ("never expires", Edge.Token(secret: Long, noExpiry: true), "INVALID_TOKEN"),
        ("no sub", Edge.Token(sub: null, secret: Long), "INVALID_TOKEN"),
        ("empty sub", Edge.Token(sub: "", secret: Long), "INVALID_TOKEN"),
        ("long sub", Edge.Token(sub: new string('x', UsableId.UnitsMax + 1), secret: Long), "INVALID_TOKEN"),
        ("NUL in sub", Edge.Token(sub: "a\0b", secret: Long), "INVALID_TOKEN"),
        ("two subs", Edge.Token(secret: Long, subject: new[] { "ada", "bob" }), "INVALID_TOKEN"),
        ("sub twice", Signed("""{"sub":"ada","exp":4102444800,"sub":"bob"}"""), "INVALID_TOKEN"),
        ("sub twice, once escaped", Signed("""{"sub":"ada","exp":4102444800,"s\u0075b":"bob"}"""), "INVALID_TOKEN"),
        ("another claim twice", Signed("""{"sub":"ada","exp":1,"exp":4102444800}"""), "INVALID_TOKEN"),
        ("alg twice", Signed("""{"sub":"ada","exp":4102444800}""", """{"alg":"none","alg":"HS256"}"""), "INVALID_TOKEN"),
        ("a number as sub", Signed("""{"sub":7,"exp":4102444800}"""), "INVALID_TOKEN"),
        ("null as sub", Signed("""{"sub":null,"exp":4102444800}"""), "INVALID_TOKEN"),
        ("a text as exp", Signed("""{"sub":"ada","exp":"4102444800"}"""), "INVALID_TOKEN"),
        ("a text as iat", Signed("""{"sub":"ada","exp":4102444800,"iat":"4102444800"}"""), "INVALID_TOKEN"),
        ("issued in the future", Signed("""{"sub":"ada","exp":4102444800,"iat":4102444000}"""), "INVALID_TOKEN"),
        ("issued beyond all time", Signed("""{"sub":"ada","exp":4102444800,"iat":1e400}"""), "INVALID_TOKEN"),
        ("an unknown extension", Signed("""{"sub":"ada","exp":4102444800}""", """{"alg":"HS256","crit":["x"],"x":1}"""), "INVALID_TOKEN"),
        ("no object", Signed("[]"), "INVALID_TOKEN"),
    ];

    /// <summary>Rightly signed, whatever it says.</summary>
    private static string Signed(string payload, string header = """{"alg":"HS256"}""")
    {
        var signed = $"{Base64UrlEncoder.Encode(header)}.{Base64UrlEncoder.Encode(payload)}";
        return $"{signed}.{Base64UrlEncoder.Encode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Long), Encoding.UTF8.GetBytes(signed)))}";
    }

    [Fact]
    public async Task A_hostile_token_gets_401_and_the_remedy()
    {
        await using var edge = await Edge.Start($"--Auth:Secret={Long}");
        var counted = new List<string>();
        // Twice: by then the token may be remembered.
        foreach (var (why, token, code) in Hostile().Concat(Hostile()))
        {
            var response = await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/status", token: token));
            if (response.StatusCode is HttpStatusCode.OK)
            {
                counted.Add(why);
                continue;
            }

            await response.Problem(401, code);
            Assert.Equal("Bearer error=\"invalid_token\"", response.Headers.WwwAuthenticate.ToString());
        }

        Assert.Empty(counted);
        var fine = await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/status", token: Edge.Token(secret: Long)));
        Assert.Equal(HttpStatusCode.OK, fine.StatusCode);
    }

    [Fact]
    public async Task A_remembered_token_counts_however_its_header_is_written_and_only_there()
    {
        await using var edge = await Edge.Start();
        var token = Edge.Token("ada");
        foreach (var (header, status) in ((string, HttpStatusCode)[])[
            ($"Bearer {token}", HttpStatusCode.OK), ($"Bearer {token}", HttpStatusCode.OK), ($"bearer   {token}  ", HttpStatusCode.OK),
            ($"Bearer {token}x", HttpStatusCode.Unauthorized), ($"Bearer{token}", HttpStatusCode.Unauthorized),
            ($"Basic {token}", HttpStatusCode.Unauthorized), ($"Bearer {token}, Bearer {token}", HttpStatusCode.Unauthorized)])
        {
            var request = new HttpRequestMessage(HttpMethod.Get, "/api/sync/status");
            request.Headers.TryAddWithoutValidation("Authorization", header);
            Assert.True(status == (await edge.Client.SendAsync(request)).StatusCode, header);
        }
    }

    [Fact]
    public async Task A_token_expired_within_the_skew_still_counts()
    {
        await using var edge = await Edge.Start();
        var response = await edge.Client.SendAsync(
            Edge.Request(HttpMethod.Get, "/api/sync/status", token: Edge.Token(expires: DateTimeOffset.UtcNow.AddSeconds(-30))));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task No_token_is_asked_for_before_the_body_is_looked_at()
    {
        await using var edge = await Edge.Start();
        var response = await edge.Client.PostAsync("/api/sync/push", new StringContent("{broken"));
        await response.Problem(401, "MISSING_TOKEN");
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task A_token_in_the_query_of_a_rest_call_is_no_token()
    {
        await using var edge = await Edge.Start();
        await (await edge.Client.GetAsync($"/api/sync/status?token={Edge.Token()}")).Problem(401, "MISSING_TOKEN");
    }

    [Fact]
    public async Task Signing_out_everywhere_refuses_older_tokens_on_every_call()
    {
        await using var edge = await Edge.Start();
        edge.Engine.For("ada").NotBeforeMs = DateTimeOffset.UtcNow.AddMinutes(1).ToUnixTimeMilliseconds();
        foreach (var (method, path) in OpenApiTests.HostEndpoints)
        {
            var response = await edge.Send(
                new HttpMethod(method), path.Replace("{id}", "x", StringComparison.Ordinal),
                method == "POST" && path.EndsWith("push", StringComparison.Ordinal) ? """{"changes":{}}""" : path.EndsWith("batch",
                StringComparison.Ordinal) ? """{"entities":[]}""" : null, ("Confirm", "erase"));
            if (path.EndsWith("restore", StringComparison.Ordinal)) continue;
            await response.Problem(401, "SIGNED_OUT");
        }
    }

    [Fact]
    public async Task A_revoked_device_is_403_not_401()
    {
        await using var edge = await Edge.Start();
        edge.Engine.For("ada").Revoked.Add(new DeviceId("old phone"));
        foreach (var path in (string[])["/api/sync/pull", "/api/sync/status", "/api/sync/devices", "/api/sync/export"])
            await (await edge.Get(path, ("X-Device-ID", "old phone"))).Problem(403, "DEVICE_REVOKED");
        Assert.Equal(HttpStatusCode.OK, (await edge.Get("/api/sync/pull", ("X-Device-ID", "new phone"))).StatusCode);
    }

    [Fact]
    public async Task Refused_tokens_of_one_address_are_limited_and_valid_ones_are_not()
    {
        await using var edge = await Edge.Start("--Limits:RefusedTokensPerMinute=3");
        for (var i = 0; i < 3; i++)
        {
            await (
                await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/status", token: "bad"))).Problem(401, "INVALID_TOKEN");
        }
        var limited = await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/status", token: "bad"));
        await limited.Problem(429, "REFUSED_TOO_OFTEN");
        Assert.NotNull(limited.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.OK, (await edge.Get("/api/sync/status")).StatusCode);
    }

    [Fact]
    public async Task An_authority_that_does_not_answer_signs_nobody_out()
    {
        await using var edge = await Edge.Start("--Auth:Secret=", "--Auth:Authority=http://127.0.0.1:1", "--Auth:Audience=mirubato");
        await using var gone = await TestAuthority.Start();
        var token = gone.Token();
        var response = await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/status", token: token));
        await response.Problem(503, "AUTHORITY_UNAVAILABLE");
        Assert.Equal(TimeSpan.FromSeconds(5), response.Headers.RetryAfter!.Delta);
        await (await edge.Client.SendAsync(Edge.Upgrade($"userId=ada&token={token}"))).Problem(503, "AUTHORITY_UNAVAILABLE");
    }

    [Fact]
    public async Task A_token_issued_within_the_skew_counts_and_one_a_second_later_does_not()
    {
        var time = Now();
        using var handler = new RememberingTokenHandler(time) { MapInboundClaims = false };
        var rules = BearerTokens.Rules(new AuthOptions(Long, null, null, null, false));
        foreach (var (aheadSeconds, counts) in ((int, bool)[])[(60, true), (61, false)])
        {
            var token = Signed($$"""{"sub":"ada","exp":4102444800,"iat":{{time.GetUtcNow().ToUnixTimeSeconds() + aheadSeconds}}}""");
            Assert.Equal(counts, (await handler.ValidateTokenAsync(token, rules)).IsValid);
        }
    }

    [Fact]
    public async Task What_is_kept_of_a_token_says_all_that_the_token_says()
    {
        using var handler = new RememberingTokenHandler(Now()) { MapInboundClaims = false };
        var rules = BearerTokens.Rules(new AuthOptions(Long, null, null, null, false));
        var token = Signed("""
            {"sub":"ada","exp":4102444800,"nbf":1700000000,"iss":"me","roles":["a","b"],"Roles":"c","realm":{"x":[1]},"n":1.5,"yes":true,"no":null}
            """);

        var (kept, again) = (await handler.ValidateTokenAsync(token, rules), await handler.ValidateTokenAsync(token, rules));
        var whole = await new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(token, rules);

        Assert.Same(kept, again);
        Assert.Equal(Said(whole), Said(kept));
        Assert.Equal(whole.SecurityToken.ValidFrom, kept.SecurityToken.ValidFrom);
        Assert.Equal(whole.SecurityToken.ValidTo, kept.SecurityToken.ValidTo);
        Assert.Equal((true, false), (kept.ClaimsIdentity.HasClaim("Roles", "c"), kept.ClaimsIdentity.HasClaim("Roles", "a")));

        static IEnumerable<(string, string, string)> Said(TokenValidationResult result) =>
            result.ClaimsIdentity.Claims.Select(claim => (claim.Type, claim.Value, claim.ValueType));
    }

    [Fact]
    public async Task A_token_whose_issuer_is_no_text_does_not_count()
    {
        using var handler = new RememberingTokenHandler(Now()) { MapInboundClaims = false };
        var rules = BearerTokens.Rules(new AuthOptions(Long, null, null, null, false));
        foreach (var issuer in (string[])["null", "1", "[]", "{}"])
        {
            var result = await handler.ValidateTokenAsync(Signed($$"""{"sub":"ada","exp":4102444800,"iss":{{issuer}}}"""), rules);
            Assert.True(!result.IsValid || result.ClaimsIdentity is not null, issuer);
        }
    }

    [Fact]
    public async Task Requests_without_a_token_are_no_guesses()
    {
        await using var edge = await Edge.Start("--Limits:RefusedTokensPerMinute=1");
        for (var i = 0; i < 5; i++) await (await edge.Client.GetAsync("/api/sync/status")).Problem(401, "MISSING_TOKEN");
        await (await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/status", token: "bad"))).Problem(401, "INVALID_TOKEN");
        await (
            await edge.Client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/status", token: "bad"))).Problem(429, "REFUSED_TOO_OFTEN");
        await (await edge.Client.GetAsync("/api/sync/status")).Problem(401, "MISSING_TOKEN");
    }

    [Fact]
    public async Task A_guessed_ticket_asks_neither_store_nor_grain()
    {
        await using var edge = await Edge.Start("--Limits:RefusedTokensPerMinute=4");
        string[] guesses = ["never-issued", new('A', 8_000), "not base64!", Base64UrlEncoder.Encode(new byte[200])];
        foreach (var guess in guesses)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await edge.Client.SendAsync(Edge.Upgrade($"ticket={guess}"))).StatusCode);
        }
        Assert.Equal(0, edge.Engine.TicketKeyReads);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await edge.Client.SendAsync(Edge.Upgrade("ticket=never-issued"))).StatusCode);

        var good = (await (await edge.Post("/api/sync/ticket")).Json()).GetProperty("ticket").GetString();
        Assert.Equal(1, edge.Engine.TicketKeyReads);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await edge.Client.SendAsync(Edge.Upgrade($"ticket={good}"))).StatusCode);
    }

    [Fact]
    public async Task A_remembered_token_is_forgotten_when_it_expires()
    {
        var time = Now();
        using var handler = new RememberingTokenHandler(time) { MapInboundClaims = false };
        var rules = BearerTokens.Rules(new AuthOptions(Edge.Secret, null, null, null, false));
        var token = Edge.Token(expires: time.GetUtcNow().AddSeconds(20));
        Assert.Null(handler.FindUser(token));
        Assert.True((await handler.ValidateTokenAsync(token, rules)).IsValid);

        rules.IssuerSigningKey = new SymmetricSecurityKey(new byte[64]);
        Assert.True((await handler.ValidateTokenAsync(token, rules)).IsValid);
        var user = handler.FindUser(token)!;
        Assert.Equal("ada", BearerTokens.Subject(user));
        Assert.Equal(BearerTokens.ParseIssuedAt(user.FindFirst("iat")?.Value), BearerTokens.IssuedAtMs(user));
        time.Advance(TimeSpan.FromSeconds(21));
        Assert.Null(handler.FindUser(token));
        Assert.False((await handler.ValidateTokenAsync(token, rules)).IsValid);
        Assert.Equal(0, handler.Count);
    }

    [Fact]
    public async Task A_full_memory_takes_no_more_and_its_tokens_count_all_the_same()
    {
        using var handler = new RememberingTokenHandler(Now()) { MapInboundClaims = false };
        var rules = BearerTokens.Rules(new AuthOptions(Edge.Secret, null, null, null, false));
        for (var i = 0; i < RememberingTokenHandler.TokensMax; i++) await handler.ValidateTokenAsync(Edge.Token($"user-{i}"), rules);
        Assert.Equal(RememberingTokenHandler.TokensMax, handler.Count);

        Assert.True((await handler.ValidateTokenAsync(Edge.Token("one too many"), rules)).IsValid);
        Assert.InRange(handler.Count, 1, RememberingTokenHandler.TokensMax);
    }

    [Fact]
    public async Task What_was_remembered_of_a_busy_hour_goes_with_the_next_token()
    {
        var time = Now();
        using var handler = new RememberingTokenHandler(time) { MapInboundClaims = false };
        var rules = BearerTokens.Rules(new AuthOptions(Edge.Secret, null, null, null, false));
        for (var i = 0; i < 20; i++) await handler.ValidateTokenAsync(Edge.Token($"user-{i}"), rules);
        Assert.Equal(20, handler.Count);
        time.Advance(TimeSpan.FromSeconds(61));
        await handler.ValidateTokenAsync(Edge.Token("another"), rules);
        Assert.True(await Patiently.Until(() => handler.Count == 1, TimeSpan.FromSeconds(30)));
    }

    private static FakeClock Now() => new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
}
