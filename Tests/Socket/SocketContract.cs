using System.Text.Json;
using Mirubato.Tests.EndToEnd;

namespace Mirubato.Tests.Sockets;

/// <summary>What a client sees on <c>/sync/ws</c>, over real sockets and each real store.</summary>
public abstract partial class SocketContract : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> clients = [];
    private readonly List<HttpDevice> devices = [];
    private LiveServer server = null!;

    private readonly string user = $"user-{Guid.NewGuid():n}";

    protected abstract Task<string> Storage(string name);

    public virtual async Task InitializeAsync() => server = await LiveServer.Start(await Storage("sync"));

    public virtual async Task DisposeAsync()
    {
        foreach (var client in clients.OfType<SocketClient>()) Assert.Empty(client.Faults);
        foreach (var client in clients) await client.DisposeAsync();
        foreach (var device in devices) device.Dispose();
        await server.DisposeAsync();
    }

    private HttpDevice Http(string? name = "laptop", string? of = null)
    {
        var device = server.Device(of ?? user, name);
        devices.Add(device);
        return device;
    }

    /// <summary>A socket that has been welcomed and has not asked yet.</summary>
    private async Task<SocketClient> Open(string? of = null, string? query = null)
    {
        var client = await SocketClient.Open(server.Url, of ?? user, query);
        clients.Add(client);
        await client.Next("WELCOME");
        return client;
    }

    /// <summary>A socket that has everything and hears what comes.</summary>
    private async Task<SocketClient> Live(string? of = null)
    {
        var client = await Open(of);
        await client.Sync();
        return client;
    }

    private static string Iso(double secondsAgo = 0) => DateTimeOffset.UtcNow.AddSeconds(-secondsAgo).ToString("yyyy-MM-ddTHH:mm:ss.fffZ");

    private static string Entry(string id, string notes, double secondsAgo = 0, string more = "") =>
        $"{{\"id\":\"{id}\",\"notes\":\"{notes}\",\"updatedAt\":\"{Iso(secondsAgo)}\"{more}}}";

    private static string Of(JsonElement frame, string member) => frame.GetProperty(member).ToString();

    private static long Seq(JsonElement frame) => frame.GetProperty("seq").GetInt64();
}
