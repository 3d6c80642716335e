using System.Text.Json;
using Mirubato.Tests.EndToEnd;

namespace Mirubato.Tests.WebApp;

/// <summary>What the existing web app sees of its calls, over real sockets and each real store; another device hears of it by pulling.</summary>
public abstract partial class WebAppContract : IAsyncLifetime
{
    private readonly List<HttpDevice> devices = [];
    private readonly string user = $"user-{Guid.NewGuid():n}";
    private LiveServer server = null!;

    private protected HttpDevice Web { get; private set; } = null!;

    private protected HttpDevice Phone { get; private set; } = null!;

    /// <summary>The setting that names a fresh store.</summary>
    protected abstract Task<string> Storage(string name);

    public async Task InitializeAsync()
    {
        server = await LiveServer.Start(await Storage("sync"));
        (Web, Phone) = (Device("web"), Device("phone"));
    }

    public virtual async Task DisposeAsync()
    {
        foreach (var device in devices) device.Dispose();
        await server.DisposeAsync();
    }

    private HttpDevice Device(string? name, string? of = null)
    {
        var device = server.Device(of ?? user, name);
        devices.Add(device);
        return device;
    }

    private Task<JsonElement> Put(string path, string body) => Web.Ask(HttpMethod.Put, path, body);

    private Task<JsonElement> Post(string path, string body) => Web.Ask(HttpMethod.Post, path, body);

    private Task<JsonElement> Delete(string path) => Web.Ask(HttpMethod.Delete, path);

    /// <summary>What the other device hears from <paramref name="since"/> on.</summary>
    private async Task<JsonElement> Heard(string? since = null) => await Phone.Pull(since);

    private async Task<string> Now() => (await Phone.Pull()).Text("syncToken")!;

    private static string Iso(int secondsAgo) => DateTimeOffset.UtcNow.AddSeconds(-secondsAgo).ToString("yyyy-MM-ddTHH:mm:ss.fffZ");

    private Task<JsonElement> Entries(params string[] entries) => Phone.Push($"\"entries\":[{string.Join(',', entries)}]");

    private static string Entry(string id, int minutes, string playedAt, string more) =>
        $"{{\"id\":\"{id}\",\"duration\":{minutes},\"timestamp\":\"{playedAt}\",\"updatedAt\":\"{Iso(60)}\",{more}}}";
}
