using System.Text.Json;
using Mirubato.Tests.EndToEnd;

namespace Mirubato.Tests.WebApp;

/// <summary>
/// What the existing web app sees of its calls, over real sockets and each real store; another device pulls the result.
/// </summary>
public abstract partial class WebAppContract : IDisposable
{
    private readonly List<HttpDevice> devices = [];
    private readonly string user = $"user-{Guid.NewGuid():n}";
    private readonly StoreServer store;

    private protected HttpDevice Web { get; }

    private protected HttpDevice Phone { get; }

    protected WebAppContract(StoreServer store)
    {
        this.store = store;
        (Web, Phone) = (Device("web"), Device("phone"));
    }

    public void Dispose()
    {
        foreach (var device in devices) device.Dispose();
        GC.SuppressFinalize(this);
    }

    private HttpDevice Device(string? name, string? of = null)
    {
        var device = store.Server.Device(of ?? user, name);
        devices.Add(device);
        return device;
    }

    private Task<JsonElement> Put(string path, string body) => Web.Ask(HttpMethod.Put, path, body);

    private Task<JsonElement> Post(string path, string body) => Web.Ask(HttpMethod.Post, path, body);

    private Task<JsonElement> Delete(string path) => Web.Ask(HttpMethod.Delete, path);

    /// <summary>What the other device pulls from <paramref name="since"/> on.</summary>
    private async Task<JsonElement> Pulled(string? since = null) => await Phone.Pull(since);

    private async Task<string> Now() => (await Phone.Pull()).Text("syncToken")!;

    private static string Iso(int secondsAgo) => DateTimeOffset.UtcNow.AddSeconds(-secondsAgo).ToString("yyyy-MM-ddTHH:mm:ss.fffZ");

    private Task<JsonElement> Entries(params string[] entries) => Phone.Push($"\"entries\":[{string.Join(',', entries)}]");

    private static string Entry(string id, int minutes, string playedAt, string more) =>
        $"{{\"id\":\"{id}\",\"duration\":{minutes},\"timestamp\":\"{playedAt}\",\"updatedAt\":\"{Iso(60)}\",{more}}}";
}
