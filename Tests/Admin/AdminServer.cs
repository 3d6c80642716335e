using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Admin;

/// <summary>A whole server with operators, and everything that it logs.</summary>
internal sealed class AdminServer : IAsyncDisposable
{
    public const string Secret = "an admin's secret of length";
    public const string Role = "mirubato-operator";

    private readonly DirectoryInfo? folder;
    private readonly HttpClient client;

    private AdminServer(LiveServer server, CapturedLogs logs, DirectoryInfo? folder)
    {
        (Server, Logs, this.folder) = (server, logs, folder);
        client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = server.Url };
    }

    public LiveServer Server { get; }

    public CapturedLogs Logs { get; }

    public Uri Url => Server.Url;

    public IEnumerable<string> Audited =>
        Logs.Lines.Where(line => line.StartsWith("Mirubato.Audit ", StringComparison.Ordinal) && !line.Contains(" scope "));

    public static Task<AdminServer> Start(params string[] more) => StartAt(TimeProvider.System, more);

    /// <summary>With a clock that the test turns.</summary>
    public static Task<AdminServer> StartAt(TimeProvider clock, params string[] more)
    {
        var folder = Directory.CreateTempSubdirectory("mirubato-admin-");
        return Start($"--Storage:SqlitePath={Path.Combine(folder.FullName, "sync.db")}", folder, clock, more);
    }

    public static Task<AdminServer> Over(string postgres) => Start($"--Storage:Postgres={postgres}", null, TimeProvider.System, []);

    public HttpDevice Device(string user, string? device) => Server.Device(user, device);

    public Task<HttpResponseMessage> Send(HttpMethod method, string path, string? confirm = null, string? body = null) =>
        Send(method, path, Basic("op", Secret), confirm, body);

    public async Task<HttpResponseMessage> Send(
        HttpMethod method, string path, AuthenticationHeaderValue? authorization, string? confirm = null, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Headers = { Authorization = authorization } };
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (confirm is not null) request.Headers.Add("Confirm", confirm);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public async Task<JsonElement> Get(string path)
    {
        using var answer = await Send(HttpMethod.Get, path);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return await answer.Json();
    }

    public Task<JsonElement> User(string user, string more = "") => Get($"/admin/v1/users/{Uri.EscapeDataString(user)}{more}");

    public async Task<JsonElement> Act(string user, string action)
    {
        using var answer = await Send(HttpMethod.Post, $"/admin/v1/users/{Uri.EscapeDataString(user)}/{action}", action);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return await answer.Json();
    }

    public static AuthenticationHeaderValue Basic(string name, string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await Server.DisposeAsync();
        folder?.Delete(recursive: true);
    }

    private static async Task<AdminServer> Start(string storage, DirectoryInfo? folder, TimeProvider clock, string[] more)
    {
        var logs = new CapturedLogs();
        string[] settings =
        [
            $"--Admin:Secret={Secret}", $"--Admin:Role={Role}", "--Logging:LogLevel:Default=Warning",
            "--Logging:LogLevel:Mirubato.Audit=Information", .. more,
        ];
        var server = await LiveServer.StartWith(services =>
        {
            services.AddSingleton<ILoggerProvider>(logs);
            services.AddKeyedSingleton(ServerClock.Key, clock);
        }, storage, settings);
        return new AdminServer(server, logs, folder);
    }
}
