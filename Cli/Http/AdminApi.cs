using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Mirubato.Cli.Http;

/// <summary>A running server's Admin API. Whatever it answers but success ends the command, with what to do about it.</summary>
internal sealed class AdminApi : IDisposable
{
    private const string Prefix = "admin/v1/";
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(10);

    /// <summary>How long a server may take to refuse a body before it is sent. Who sends already does not hear of a refusal.</summary>
    private static readonly TimeSpan RefusalPatience = TimeSpan.FromMinutes(1);

    private readonly HttpClient client;

    private AdminApi(Uri server, string secret)
    {
        var handler = new SocketsHttpHandler
        {
            UseCookies = false,
            ConnectTimeout = ConnectPatience,
            Expect100ContinueTimeout = RefusalPatience,
        };
        client = new HttpClient(handler) { BaseAddress = server, Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{secret}")));
    }

    public static AdminApi From(ParseResult parsed) => new(parsed.ServerUrl(), parsed.AdminSecret());

    public Task<JsonElement> Get(string path, CancellationToken cancel) =>
        Ask(new HttpRequestMessage(HttpMethod.Get, Prefix + path), cancel);

    public Task<JsonElement> Post(string path, string confirm, CancellationToken cancel, HttpContent? content = null) =>
        Ask(Confirmed(HttpMethod.Post, path, confirm, content), cancel);

    public Task<JsonElement> Delete(string path, string confirm, CancellationToken cancel) =>
        Ask(Confirmed(HttpMethod.Delete, path, confirm, null), cancel);

    /// <summary>An answer that may be large, as it comes.</summary>
    public async Task CopyTo(string path, Stream to, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Prefix + path);
        using var answer = await Send(request, cancel);
        await answer.Content.CopyToAsync(to, cancel);
    }

    public void Dispose() => client.Dispose();

    public static string Id(string id) => Uri.EscapeDataString(id);

    private static HttpRequestMessage Confirmed(HttpMethod method, string path, string confirm, HttpContent? content)
    {
        var request = new HttpRequestMessage(method, Prefix + path) { Content = content };
        request.Headers.Add(ServerHeaders.Confirm, confirm);
        request.Headers.ExpectContinue = content is StreamContent;
        return request;
    }

    private async Task<JsonElement> Ask(HttpRequestMessage request, CancellationToken cancel)
    {
        using (request)
        {
            using var answer = await Send(request, cancel);
            var body = await answer.Content.ReadAsByteArrayAsync(cancel);
            return body.Length == 0 ? default : JsonDocument.Parse(body).RootElement;
        }
    }

    private async Task<HttpResponseMessage> Send(HttpRequestMessage request, CancellationToken cancel)
    {
        HttpResponseMessage answer;
        try
        {
            answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        }
        catch (HttpRequestException away)
        {
            throw new CommandFailedException(
                ExitCode.Unreachable,
                $"{client.BaseAddress} cannot be reached: {away.Message} Start the server, or name another with --server.");
        }

        if (answer.IsSuccessStatusCode) return answer;
        using (answer) throw await Failure(answer, cancel);
    }

    private static async Task<CommandFailedException> Failure(HttpResponseMessage answer, CancellationToken cancel)
    {
        if (answer.StatusCode is HttpStatusCode.Unauthorized)
            return new(ExitCode.Refused, $"The server refuses the secret: set {Settings.SecretVariable} to its Admin:Secret.");
        var text = await answer.Content.ReadAsStringAsync(cancel);
        if (answer.StatusCode is HttpStatusCode.TooManyRequests && text.Length == 0)
            return new(ExitCode.Refused, "Too many wrong secrets came from this address: wait a minute, and give the right one.");
        var sentence = Sentence(text);
        var isNothing = sentence?.StartsWith("There is nothing", StringComparison.Ordinal) ?? true;
        if (answer.StatusCode is HttpStatusCode.NotFound && isNothing)
            return new(
                ExitCode.Unreachable,
                "There is no Admin API at this address: set Admin:Secret on the server; with Admin:Port, name that port in --server.");
        return new(
            answer.StatusCode is HttpStatusCode.ServiceUnavailable ? ExitCode.Unreachable : ExitCode.Failed,
            sentence ?? $"The server answered {(int)answer.StatusCode}.");
    }

    /// <summary>What a problem says; null when the body is none, as that of a proxy.</summary>
    private static string? Sentence(string text)
    {
        try
        {
            using var body = JsonDocument.Parse(text);
            return body.RootElement.TryGetProperty("error", out var error) ? error.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
