namespace Mirubato.Tests.EndToEnd;

/// <summary>What a client sees, over real sockets and each real store. Tests of old bugs are named after their symptoms.</summary>
public abstract partial class HttpContract : IAsyncLifetime
{
    private readonly List<HttpDevice> devices = [];
    private LiveServer server = null!;

    private readonly string user = $"user-{Guid.NewGuid():n}";

    /// <summary>The setting that names a fresh store.</summary>
    protected abstract Task<string> Storage(string name);

    public virtual async Task InitializeAsync() => server = await LiveServer.Start(await Storage("sync"));

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

    private static string Iso(int secondsAgo) => DateTimeOffset.UtcNow.AddSeconds(-secondsAgo).ToString("yyyy-MM-ddTHH:mm:ss.fffZ");

    private static string Entry(string id, string notes, int secondsAgo = 0, string more = "") =>
        $"{{\"id\":\"{id}\",\"notes\":\"{notes}\",\"updatedAt\":\"{Iso(secondsAgo)}\"{more}}}";
}
