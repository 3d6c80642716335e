using System.Text.Json;
using Mirubato.Tests.EndToEnd;

namespace Mirubato.Tests.Sockets;

/// <summary>What a client sees on <c>/sync/ws</c>, over real sockets, each real store, and one silo or three.</summary>
public abstract partial class SocketContract : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> clients = [];
    private readonly List<HttpDevice> devices = [];

    private protected readonly string user = $"user-{Guid.NewGuid():n}";

    /// <summary>Where the next call or socket goes. Each one asks again, as behind a balancer.</summary>
    private protected abstract LiveServer Server();

    /// <summary>True: every revision is sent by itself, and none is skipped.</summary>
    protected virtual bool IsOneSilo => false;

    public Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync()
    {
        foreach (var client in clients.OfType<SocketClient>())
        {
            Assert.Empty(client.Faults);
            if (IsOneSilo) Assert.Empty(client.Jumps);
        }

        foreach (var client in clients) await client.DisposeAsync();
        foreach (var device in devices) device.Dispose();
    }

    private protected HttpDevice Http(string? name = "laptop", string? of = null)
    {
        var device = Server().Device(of ?? user, name);
        devices.Add(device);
        return device;
    }

    /// <summary>A socket that has been welcomed and has not asked yet.</summary>
    private protected async Task<SocketClient> Open(string? of = null, string? query = null)
    {
        var client = await SocketClient.Open(Server().Url, of ?? user, query);
        clients.Add(client);
        await client.Next("WELCOME");
        return client;
    }

    /// <summary>A socket that has everything and receives what comes.</summary>
    private protected async Task<SocketClient> Live(string? of = null)
    {
        var client = await Open(of);
        await client.Sync();
        return client;
    }

    private protected static string Iso(double secondsAgo = 0) =>
        DateTimeOffset.UtcNow.AddSeconds(-secondsAgo).ToString("yyyy-MM-ddTHH:mm:ss.fffZ");

    private protected static string Entry(string id, string notes, double secondsAgo = 0, string more = "") =>
        $"{{\"id\":\"{id}\",\"notes\":\"{notes}\",\"updatedAt\":\"{Iso(secondsAgo)}\"{more}}}";

    private protected static string Text(JsonElement frame, string member) => frame.GetProperty(member).ToString();

    private protected static long Seq(JsonElement frame) => frame.GetProperty("seq").GetInt64();
}
