namespace Mirubato.Tests.EndToEnd;

/// <summary>What a client sees, over real sockets and each real store. Tests of old bugs are named after their symptoms.</summary>
public abstract partial class HttpContract(StoreServer store) : IDisposable
{
    private readonly List<HttpDevice> devices = [];
    private readonly string user = $"user-{Guid.NewGuid():n}";

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

    private static string Iso(int secondsAgo) => DateTimeOffset.UtcNow.AddSeconds(-secondsAgo).ToString("yyyy-MM-ddTHH:mm:ss.fffZ");

    private static string Entry(string id, string notes, int secondsAgo = 0, string more = "") =>
        $"{{\"id\":\"{id}\",\"notes\":\"{notes}\",\"updatedAt\":\"{Iso(secondsAgo)}\"{more}}}";
}
