using System.Net.WebSockets;
using System.Text.Json;
using System.Threading.Channels;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Sockets;

namespace Mirubato.Tests.Cli;

/// <summary>
/// A device that edits, each edit under its key until it is acknowledged, and keeps a socket open, whatever becomes of the server. A frame
/// makes it pull; a pull that resets replaces what it has.
/// </summary>
internal sealed class ConnectedDevice : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    private readonly Uri url;
    private readonly string user;
    private readonly string name;
    private readonly HttpDevice http;
    private readonly CancellationTokenSource over = new();
    private readonly SemaphoreSlim pulls = new(1);
    private readonly Lock gate = new();
    private readonly Dictionary<string, long> held = [];
    private readonly List<string> acknowledged = [];
    private readonly Task listening;
    private readonly Task writing;
    private volatile bool isWriting = true;
    private string? token;

    public ConnectedDevice(Uri url, string user, string name)
    {
        (this.url, this.user, this.name) = (url, user, name);
        http = new HttpDevice(url, user, name);
        listening = Task.Run(Listen);
        writing = Task.Run(Write);
    }

    public string User => user;

    public int Resets { get; private set; }

    public int Connects { get; private set; }

    /// <summary>Ids in the order in which they were acknowledged.</summary>
    public List<string> Acknowledged
    {
        get
        {
            lock (gate) return [.. acknowledged];
        }
    }

    /// <summary>Versions by id.</summary>
    public Dictionary<string, long> Held
    {
        get
        {
            lock (gate) return new(held);
        }
    }

    /// <summary>Edits no more, once what was sent is acknowledged.</summary>
    public async Task Finish()
    {
        isWriting = false;
        await writing;
    }

    public async Task Push(string id)
    {
        var body = JsonSerializer.Serialize(
            new { changes = new { entries = new[] { new { id, updatedAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() } } } });
        while (true)
        {
            try
            {
                using var answer = await http.Send(HttpMethod.Post, "/api/sync/push", body, key: id);
                if (answer.IsSuccessStatusCode) break;
            }
            catch (HttpRequestException)
            {
                // The server is away: again, under the same key.
            }

            await Task.Delay(Pace);
        }

        lock (gate) acknowledged.Add(id);
    }

    public static Dictionary<string, long> Versions(JsonElement pull) =>
        pull.List("entries").ToDictionary(entry => entry.Text("id")!, entry => entry.GetProperty("version").GetInt64());

    public async ValueTask DisposeAsync()
    {
        isWriting = false;
        await over.CancelAsync();
        await Task.WhenAll(listening, writing);
        http.Dispose();
        over.Dispose();
        pulls.Dispose();
    }

    private async Task Write()
    {
        using var pace = new PeriodicTimer(Pace);
        for (var i = 0; isWriting && await pace.WaitForNextTickAsync(); i++) await Push($"{name}-{i}");
    }

    private async Task Listen()
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                await using var socket = await SocketClient.Open(
                    url, user, $"userId={user}&token={Edge.Token(user)}&deviceId={name}");
                await using var ending = over.Token.Register(() => _ = socket.Drop());
                Connects++;
                await socket.Ask();
                while (!over.IsCancellationRequested)
                {
                    await socket.Next();
                    await Pull();
                }
            }
            catch (Exception lost) when (
                lost is WebSocketException or ChannelClosedException or HttpRequestException or TimeoutException
                or InvalidOperationException or Xunit.Sdk.XunitException)
            {
                await Task.Delay(Pace);
            }
        }
    }

    private async Task Pull()
    {
        await pulls.WaitAsync();
        try
        {
            var pull = await http.Pull(token);
            lock (gate)
            {
                if (pull.TryGetProperty("reset", out var reset) && reset.GetBoolean())
                {
                    held.Clear();
                    Resets++;
                }

                foreach (var (id, version) in Versions(pull)) held[id] = version;
                token = pull.Text("syncToken");
            }
        }
        finally
        {
            pulls.Release();
        }
    }
}
