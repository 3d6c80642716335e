using System.Net;
using System.Net.Http.Headers;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Admin;

/// <summary>Who comes in to what is for operators, and what anybody else can find out.</summary>
public sealed class AdminAccessTests
{
    private static readonly (HttpMethod Method, string Path)[] Addresses =
    [
        (HttpMethod.Get, "/admin"), (HttpMethod.Get, "/admin/admin.js"), (HttpMethod.Get, "/admin/nothing"), (HttpMethod.Get, "/ADMIN"),
        (HttpMethod.Get, "/admin/v1/status"), (HttpMethod.Post, "/admin/v1/status"), (HttpMethod.Get, "/admin/v1/users/ada"),
        (HttpMethod.Get, "/admin/v1/users/nobody"), (HttpMethod.Post, "/admin/v1/users/ada/erase"), (HttpMethod.Get, "/admin/v1/events"),
        (HttpMethod.Delete, "/admin/v1/silos/x/drain"), (HttpMethod.Get, "/metrics"), (HttpMethod.Get, "/dashboard/orleans"),
        (HttpMethod.Get, "/dashboard/nothing"),
    ];

    [Fact]
    public async Task Nobody_without_secret_or_role_can_tell_what_is_there()
    {
        await using var server = await AdminServer.Start();
        using var phone = server.Device("ada", "phone");
        await phone.PushEntry("""{"id":"e1","updatedAt":1}""");
        AuthenticationHeaderValue?[] without =
        [
            null, new("Bearer", Edge.Token()), new("Bearer", Token("someone-else")), new("Bearer", "none"),
            AdminServer.Basic("admin", "another secret of length"),
        ];

        var told = new HashSet<string>();
        foreach (var authorization in without)
        {
            foreach (var (method, path) in Addresses.Take(authorization?.Scheme == "Basic" ? 5 : Addresses.Length))
            {
                using var answer = await server.Send(method, path, authorization, "erase");
                var headers = answer.Headers.Concat(answer.Content.Headers)
                    .Where(header => header.Key is not ("Date" or "Content-Security-Policy" or "X-Frame-Options"))
                    .Select(header => $"{header.Key}: {string.Join(',', header.Value)}").Order();
                Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
                Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
                told.Add(string.Join('\n', headers));
            }
        }

        Assert.Single(told);
        Assert.Equal(1, (await server.User("ada")).GetProperty("entities").GetProperty("live").GetInt32());
    }

    [Fact]
    public async Task Without_secret_and_role_it_is_as_any_address_that_is_not_there()
    {
        var folder = Directory.CreateTempSubdirectory("mirubato-admin-");
        await using (var server = await LiveServer.Start($"--Storage:SqlitePath={Path.Combine(folder.FullName, "sync.db")}"))
        {
            using var client = new HttpClient { BaseAddress = server.Url };
            client.DefaultRequestHeaders.Authorization = AdminServer.Basic("admin", "");
            foreach (var (method, path) in Addresses)
            {
                using var answer = await client.SendAsync(new HttpRequestMessage(method, path));
                await answer.Problem(404, "NOT_FOUND");
            }
        }

        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("roles", false)]
    [InlineData("roles", true)]
    public async Task The_token_of_a_user_with_the_role_opens_it_until_the_user_signs_out(string claim, bool isList)
    {
        await using var server = await AdminServer.Start();
        var token = new AuthenticationHeaderValue("Bearer", Token(AdminServer.Role, claim, isList));

        using var inside = await server.Send(HttpMethod.Get, "/admin/v1/status", token);
        using var ada = server.Device("ada", "phone");
        await ada.Ask(HttpMethod.Post, "/api/sync/sign-out-everywhere");
        using var outside = await server.Send(HttpMethod.Get, "/admin/v1/status", token);

        Assert.Equal(HttpStatusCode.OK, inside.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, outside.StatusCode);
    }

    [Fact]
    public async Task Another_claim_can_hold_the_role()
    {
        await using var server = await AdminServer.Start("--Admin:RoleClaim=groups");

        using var wrong = await server.Send(HttpMethod.Get, "/admin/v1/status", new AuthenticationHeaderValue("Bearer", Token(AdminServer.Role)));
        using var right = await server.Send(HttpMethod.Get, "/admin/v1/status", new AuthenticationHeaderValue("Bearer", Token(AdminServer.Role, "groups")));

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (wrong.StatusCode, right.StatusCode));
    }

    [Fact]
    public async Task The_page_may_load_nothing_from_elsewhere_and_run_nothing_but_its_own_script()
    {
        await using var server = await AdminServer.Start();

        using var answer = await server.Send(HttpMethod.Get, "/admin");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("require-trusted-types-for 'script'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("DENY", answer.Headers.GetValues("X-Frame-Options").Single());
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
    }

    private static string Token(string role, string claim = "roles", bool isList = true)
    {
        var now = DateTimeOffset.UtcNow;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Claims = new Dictionary<string, object>
            {
                ["sub"] = "ada",
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = now.AddHours(1).ToUnixTimeSeconds(),
                [claim] = isList ? (object)new[] { "other", role } : role,
            },
            SigningCredentials = new SigningCredentials(
                new SymmetricSecurityKey(System.Text.Encoding.UTF8.GetBytes(Edge.Secret)), SecurityAlgorithms.HmacSha256),
        });
    }
}
