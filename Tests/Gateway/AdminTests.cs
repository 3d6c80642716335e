using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mirubato.Bench;
using Mirubato.Gateway;
using Mirubato.Gateway.Auth;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

/// <summary>Pages for operators, as a host with pages of its own maps them.</summary>
public sealed class AdminTests
{
    private const string AdminSecret = "an admin's secret of length";
    private const string Page = "/dashboard/of-a-host";

    [Fact]
    public async Task Operators_come_in_with_the_secret_and_under_any_name()
    {
        await using var app = await Start(new HostEndpoints(More: MapPage));
        using var client = Client(app);

        using var answer = await client.SendAsync(Asking(Basic("whoever", AdminSecret)));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("inside", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Anyone_else_is_asked_for_it_in_the_way_browsers_know()
    {
        await using var app = await Start(new HostEndpoints(More: MapPage));
        using var client = Client(app);
        AuthenticationHeaderValue?[] wrong =
        [
            null, Basic(
                "admin",
                "another secret of length"), Basic("admin", ""), new("Basic", "no base64!"), new("Basic", ""), new("Bearer", AdminSecret),
            new("Bearer", Edge.Token()),
        ];

        foreach (var authorization in wrong)
        {
            using var answer = await client.SendAsync(Asking(authorization));

            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("Basic realm=\"admin\", charset=\"UTF-8\"", answer.Headers.WwwAuthenticate.ToString());
            Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
        }
    }

    [Fact]
    public async Task After_ten_guesses_an_address_waits_even_with_the_right_secret()
    {
        await using var app = await Start(new HostEndpoints(More: MapPage), "--Limits:RefusedTokensPerMinute=1");
        using var client = Client(app);

        for (var i = 1; i <= Limits.AdminGuessesPerMinute; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await Ask(client, Basic("admin", $"guess {i} of some length")));
        }
        Assert.Equal(HttpStatusCode.TooManyRequests, await Ask(client, Basic("admin", "one guess too many")));
        Assert.Equal(HttpStatusCode.TooManyRequests, await Ask(client, Basic("admin", AdminSecret)));
        Assert.Equal(HttpStatusCode.Unauthorized, await Ask(client, null));
    }

    [Fact]
    public async Task Refused_tokens_of_users_keep_no_operator_out()
    {
        await using var app = await Start(new HostEndpoints(More: MapPage), "--Limits:RefusedTokensPerMinute=1");
        using var client = Client(app);
        for (var i = 0; i < 2 * Limits.AdminGuessesPerMinute; i++)
        {
            (await client.SendAsync(Edge.Request(HttpMethod.Get, "/api/sync/status", token: "bad"))).Dispose();
        }

        Assert.Equal(HttpStatusCode.OK, await Ask(client, Basic("admin", AdminSecret)));
    }

    [Fact]
    public async Task No_other_site_may_read_or_frame_a_page_for_operators()
    {
        await using var app = await Start(new HostEndpoints(More: MapPage));
        using var client = Client(app);

        foreach (
            var (method, path) in ((HttpMethod, string)[])
            [
                (HttpMethod.Get, Page), (HttpMethod.Get, Page.ToUpperInvariant()), (HttpMethod.Options, Page),
                (HttpMethod.Get, "/dashboard/none"),
            ])
        {
            using var request = new HttpRequestMessage(method, path) { Headers = { Authorization = Basic("admin", AdminSecret) } };
            request.Headers.Add("Origin", "http://localhost:3000");
            request.Headers.Add("Access-Control-Request-Method", "GET");
            using var answer = await client.SendAsync(request);
            Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
            if (!answer.IsSuccessStatusCode) continue;
            Assert.Equal("DENY", answer.Headers.GetValues("X-Frame-Options").Single());
            Assert.Contains(
                "frame-ancestors 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task With_a_port_of_their_own_pages_for_operators_are_there_and_nothing_else_is()
    {
        var port = FreePort.Next();
        await using var app = await Start(new HostEndpoints(More: MapPage), $"--Admin:Port={port}");
        using var everybody = Client(app);
        using var operators = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        Assert.Equal(HttpStatusCode.NotFound, await Ask(everybody, Basic("admin", AdminSecret)));
        Assert.Equal(HttpStatusCode.OK, await Ask(operators, Basic("admin", AdminSecret)));
        Assert.Equal(HttpStatusCode.OK, (await everybody.GetAsync("/health/live")).StatusCode);
        foreach (var path in (string[])["/", "/health/live", "/api/sync/status", "/sync/ws", "/openapi/v1.json"])
            Assert.Equal(HttpStatusCode.NotFound, (await operators.SendAsync(Edge.Request(HttpMethod.Get, path))).StatusCode);

        // Whatever the request says of its host.
        using var spoofed = Asking(Basic("admin", AdminSecret));
        spoofed.Headers.Host = $"127.0.0.1:{port}";
        Assert.Equal(HttpStatusCode.NotFound, (await everybody.SendAsync(spoofed)).StatusCode);
    }

    [Fact]
    public async Task The_secret_of_operators_opens_nothing_of_a_user()
    {
        await using var app = await Start(new HostEndpoints(More: MapPage));
        using var client = Client(app);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/sync/status")
        {
            Headers = { Authorization = Basic("ada", AdminSecret) },
        };

        using var answer = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task A_host_that_leaves_clients_to_others_still_tells_of_its_health()
    {
        await using var app = await Start(new HostEndpoints(ServesClients: false));
        using var client = Client(app);

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/ready")).StatusCode);
        foreach (var path in (string[])["/", "/api/sync/status", "/sync/ws", "/openapi/v1.json"])
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(path)).StatusCode);
    }

    private static void MapPage(WebApplication app) => app.MapGet(Page, () => "inside").RequireAuthorization(AdminAccess.Policy);

    private static async Task<HttpStatusCode> Ask(HttpClient client, AuthenticationHeaderValue? authorization)
    {
        using var answer = await client.SendAsync(Asking(authorization));
        return answer.StatusCode;
    }

    private static HttpRequestMessage Asking(AuthenticationHeaderValue? authorization) =>
        new(HttpMethod.Get, Page) { Headers = { Authorization = authorization } };

    private static AuthenticationHeaderValue Basic(string name, string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));

    private static HttpClient Client(WebApplication app) => new() { BaseAddress = new Uri(app.Urls.First()) };

    private static async Task<WebApplication> Start(HostEndpoints endpoints, params string[] more)
    {
        string[] args =
        [
            "--urls=http://127.0.0.1:0", "--environment=Test", $"--Auth:Secret={Edge.Secret}", $"--Admin:Secret={AdminSecret}", .. more,
        ];
        var app = GatewayHost.Build(args, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton(endpoints);
            builder.Services.AddSingleton<FakeCoordinators>();
            builder.Services.AddSingleton<IGrainFactory>(services => new FakeGrains(services.GetRequiredService<FakeCoordinators>().For));
            builder.Services.AddSingleton(ProcessIdentity.Fresh(silo: null));
            builder.Services.AddSingleton<IUserReader>(services => services.GetRequiredService<FakeCoordinators>());
            builder.Services.AddSingleton<IReadiness>(services => services.GetRequiredService<FakeCoordinators>());
        });
        await app.StartAsync();
        return app;
    }
}
