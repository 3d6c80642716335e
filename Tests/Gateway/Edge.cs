using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Mirubato.Gateway;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

/// <summary>The real server on a free loopback port, with the fake engine behind it.</summary>
internal sealed class Edge : IAsyncDisposable
{
    public const string Secret = "a secret for tests that is long enough";

    /// <summary>Settings of a server that logs all there is, for tests of what a log must not hold. Others log warnings.</summary>
    public static readonly string[] LogsEverything =
        ["--Logging:LogLevel:Default=Trace", "--Logging:LogLevel:Microsoft.AspNetCore=Trace"];

    private readonly WebApplication app;

    private Edge(WebApplication app, CapturedLogs logs)
    {
        this.app = app;
        Logs = logs;
        Url = app.Urls.Single();
        Engine = app.Services.GetRequiredService<FakeCoordinators>();
        Client = new HttpClient(
            new SocketsHttpHandler
            {
                UseCookies = false,
                AutomaticDecompression = System.Net.DecompressionMethods.None,
            })
        { BaseAddress = new Uri(Url) };
    }

    public string Url { get; }

    public HttpClient Client { get; }

    public FakeCoordinators Engine { get; }

    public CapturedLogs Logs { get; }

    public IServiceProvider Services => app.Services;

    public static Task<Edge> Start(params string[] settings) => StartWith(_ => { }, settings);

    /// <summary>With a clock that the test turns.</summary>
    public static Task<Edge> StartAt(TimeProvider clock, params string[] settings) =>
        StartWith(services => services.AddKeyedSingleton(ServerClock.Key, clock), settings);

    private static async Task<Edge> StartWith(Action<IServiceCollection> services, string[] settings)
    {
        var logs = new CapturedLogs();
        string[] args =
        [
            "--urls=http://127.0.0.1:0", "--environment=Test", $"--Auth:Secret={Secret}", "--Logging:LogLevel:Default=Warning",
            .. settings,
        ];
        var app = GatewayHost.Build(args, builder =>
        {
            builder.Logging.ClearProviders().AddProvider(logs);
            builder.Services.AddSingleton<FakeCoordinators>();
            builder.Services.AddSingleton<IGrainFactory>(services => new FakeGrains(services.GetRequiredService<FakeCoordinators>().For));
            builder.Services.AddSingleton(ProcessIdentity.Fresh(silo: null));
            builder.Services.AddSingleton<IUserReader>(services => services.GetRequiredService<FakeCoordinators>());
            builder.Services.AddSingleton<IReadiness>(services => services.GetRequiredService<FakeCoordinators>());
            services(builder.Services);
        });
        await app.StartAsync();
        return new Edge(app, logs);
    }

    public static string Token(
        string? sub = "ada", string secret = Secret, DateTimeOffset? expires = null, bool noExpiry = false,
        string algorithm = SecurityAlgorithms.HmacSha256, object? subject = null)
    {
        var now = DateTimeOffset.UtcNow;
        var claims = new Dictionary<string, object>();
        if (sub is not null) claims["sub"] = subject ?? sub;
        claims["iat"] = now.ToUnixTimeSeconds();
        if (!noExpiry) claims["exp"] = (expires ?? now.AddHours(1)).ToUnixTimeSeconds();
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Claims = claims,
            SigningCredentials = new SigningCredentials(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(secret)), algorithm),
        });
    }

    public static HttpRequestMessage Request(HttpMethod method, string path, string? body = null, string? token = null, string user = "ada")
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token ?? Token(user));
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return request;
    }

    /// <summary>A socket's upgrade.</summary>
    public static HttpRequestMessage Upgrade(string query)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"/sync/ws?{query}");
        request.Headers.Connection.Add("Upgrade");
        foreach (
            var (name, value) in ((string, string)[])
            [
                ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ])
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    public Task<HttpResponseMessage> Send(HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        var request = Request(method, path, body);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return Client.SendAsync(request);
    }

    public Task<HttpResponseMessage> Post(string path, string? body = null, params (string Name, string Value)[] headers) =>
        Send(HttpMethod.Post, path, body, headers);

    public Task<HttpResponseMessage> Get(string path, params (string Name, string Value)[] headers) =>
        Send(HttpMethod.Get, path, null, headers);

    /// <summary>Bytes as they stand, and what comes back until the server closes.</summary>
    public async Task<string> Raw(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", new Uri(Url).Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        var answer = new MemoryStream();
        try
        {
            await stream.CopyToAsync(answer);
        }
        catch (IOException)
        {
            // A server that refuses a body it never read resets the connection behind its answer.
        }

        return Encoding.Latin1.GetString(answer.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.DisposeAsync();
    }
}

internal static class Answers
{
    public static async Task<JsonElement> Json(this HttpResponseMessage response)
    {
        using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(), new JsonDocumentOptions { MaxDepth = 128 });
        return document.RootElement.Clone();
    }

    /// <summary>The problem of an answer, its form checked.</summary>
    public static async Task<JsonElement> Problem(this HttpResponseMessage response, int status, string code)
    {
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("1", response.Headers.GetValues("X-Sync-Schema").Single());
        var problem = await response.Json();
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.False(problem.GetProperty("success").GetBoolean());
        Assert.Equal(problem.GetProperty("detail").GetString(), problem.GetProperty("error").GetString());
        Assert.StartsWith("urn:", problem.GetProperty("type").GetString());
        Assert.NotEmpty(problem.GetProperty("title").GetString()!);
        return problem;
    }
}
