using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.EndToEnd;

/// <summary>One device of one user, over HTTP.</summary>
internal sealed class HttpDevice(Uri url, string user, string? device) : IDisposable
{
    private readonly HttpClient client = new(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = url };

    public string Token { get; set; } = Edge.Token(user);

    public async Task<HttpResponseMessage> Send(
        HttpMethod method, string path, string? body = null, string? key = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        if (device is not null) request.Headers.Add("X-Device-ID", device);
        if (key is not null) request.Headers.Add("X-Idempotency-Key", key);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await client.SendAsync(request);
    }

    public async Task<JsonElement> Ask(HttpMethod method, string path, string? body = null)
    {
        using var response = await Send(method, path, body);
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        return await response.Json();
    }

    /// <summary>Bytes as they are, and the status they get.</summary>
    public async Task<int> Post(string path, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        using var response = await client.SendAsync(request);
        return (int)response.StatusCode;
    }

    /// <summary>Pushes <c>changes</c> as given, without the braces of the envelope.</summary>
    public Task<JsonElement> Push(string changes, string? token = null) =>
        Ask(HttpMethod.Post, "/api/sync/push", $"{{\"changes\":{{{changes}}}{(token is null ? "" : $",\"lastSyncToken\":\"{token}\"")}}}");

    public Task<JsonElement> PushEntry(string entry) => Push($"\"entries\":[{entry}]");

    public Task<JsonElement> Pull(string? since = null, int? limit = null) =>
        Ask(HttpMethod.Post, "/api/sync/pull", JsonSerializer.Serialize(new { since, limit }));

    public Task<JsonElement> Get(string path) => Ask(HttpMethod.Get, path);

    public async Task<HttpStatusCode> FindStatus(HttpMethod method, string path, string? body = null, string? key = null)
    {
        using var response = await Send(method, path, body, key);
        return response.StatusCode;
    }

    public void Dispose() => client.Dispose();
}

internal static class Members
{
    public static string? Text(this JsonElement of, string member) => of.GetProperty(member).GetString();

    public static IReadOnlyList<JsonElement> List(this JsonElement of, string member) => [.. of.GetProperty(member).EnumerateArray()];

    public static JsonElement Only(this JsonElement of, string member) => Assert.Single(of.List(member));
}
