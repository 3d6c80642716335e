using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Sockets;

namespace Mirubato.Tests.Faults;

/// <summary>
/// One socket of a device: hands over each frame as it comes, once the trail has looked at it, and can stop reading.
/// </summary>
internal sealed class FaultSocket : IAsyncDisposable
{
    // Little is kept in between, so that a device that does not read is soon felt by the server.
    private const int ReceiveBufferBytes = 16 * 1024;
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SendPatience = TimeSpan.FromSeconds(5);

    private static readonly SocketsHttpHandler SmallBuffers = new()
    {
        UseCookies = false,
        ConnectCallback = async (to, cancel) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = ReceiveBufferBytes };
            await socket.ConnectAsync(to.DnsEndPoint, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
    };

    private static readonly HttpMessageInvoker Invoker = new(SmallBuffers);

    private readonly ClientWebSocket socket;
    private readonly SemaphoreSlim sending = new(1);
    private readonly SemaphoreSlim reading = new(1);
    private readonly Task over;
    private long heardAt = Environment.TickCount64;
    private int pinged;
    private int ponged;

    private FaultSocket(ClientWebSocket socket, SocketTrail trail, Action<JsonElement> take)
    {
        this.socket = socket;
        Trail = trail;
        over = Read(take);
    }

    public SocketTrail Trail { get; }

    public Task Over => over;

    public bool IsStalled => reading.CurrentCount == 0;

    public long SilentMs => Environment.TickCount64 - Volatile.Read(ref heardAt);

    /// <summary>Everything sent was done and answered: changes are done in order, and a ping behind them too.</summary>
    public bool IsQuiet => pinged > 0 && pinged == ponged;

    public int? CloseCode => (int?)socket.CloseStatus;

    public static async Task<FaultSocket> Open(Uri gateway, string user, SocketTrail trail, Action<JsonElement> take)
    {
        var socket = new ClientWebSocket();
        try
        {
            using var patience = new CancellationTokenSource(ConnectPatience);
            await socket.ConnectAsync(SocketClient.Address(gateway, $"userId={user}&token={Edge.Token(user)}"), Invoker, patience.Token);
            return new FaultSocket(socket, trail, take);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public Task Ping()
    {
        Interlocked.Increment(ref pinged);
        return Write("""{"type":"PING"}""");
    }

    /// <summary>A change: quiet again once a ping behind it has come back.</summary>
    public async Task Send(string frame)
    {
        Interlocked.Increment(ref pinged);
        await Write(frame);
        await Write("""{"type":"PING"}""");
    }

    private async Task Write(string frame)
    {
        await sending.WaitAsync();
        try
        {
            using var patience = new CancellationTokenSource(SendPatience);
            await socket.SendAsync(Encoding.UTF8.GetBytes(frame), WebSocketMessageType.Text, endOfMessage: true, patience.Token);
        }
        finally
        {
            sending.Release();
        }
    }

    public async Task Stall(Task awhile)
    {
        await reading.WaitAsync();
        await Task.WhenAny(awhile, over);
        reading.Release();
    }

    public void Cut() => socket.Abort();

    public async ValueTask DisposeAsync()
    {
        socket.Abort();
        await over;
        socket.Dispose();
    }

    private async Task Read(Action<JsonElement> take)
    {
        var buffer = new byte[ReceiveBufferBytes];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                var got = await socket.ReceiveAsync(buffer, CancellationToken.None);
                await reading.WaitAsync();
                reading.Release();
                if (got.MessageType is WebSocketMessageType.Close) return;
                message.Write(buffer, 0, got.Count);
                if (!got.EndOfMessage) continue;
                using var document = JsonDocument.Parse(message.ToArray());
                var frame = document.RootElement.Clone();
                Volatile.Write(ref heardAt, Environment.TickCount64);
                if (frame.GetProperty("type").GetString() is "PONG") Interlocked.Increment(ref ponged);
                Trail.Note(frame);
                take(frame);
                message.SetLength(0);
            }
        }
        catch (Exception cut) when (cut is WebSocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The device sees that it is over.
        }
    }
}
