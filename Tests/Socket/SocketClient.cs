using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Sockets;

/// <summary>
/// One socket, recorded. It watches every frame for what must never be: a hole, a repeat, a decrease, a revision beyond what was sent.
/// </summary>
internal sealed class SocketClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ClientWebSocket socket;
    private readonly Channel<JsonElement> frames = Channel.CreateUnbounded<JsonElement>();
    private readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim mayRead = new(1);
    private readonly List<string> faults = [];
    private int mutations;

    private SocketClient(ClientWebSocket socket)
    {
        this.socket = socket;
        _ = Read();
    }

    /// <summary>What was wrong with the order of frames; empty when all was well.</summary>
    public IReadOnlyList<string> Faults => faults;

    public List<JsonElement> Seen { get; } = [];

    /// <summary>The highest of any seq or lastSeq, as existing clients keep it.</summary>
    public long Cursor { get; private set; }

    public WebSocketState State => socket.State;

    public string? Subprotocol => socket.SubProtocol;

    public static async Task<SocketClient> Open(Uri url, string user, string? query = null, Action<ClientWebSocketOptions>? options = null)
    {
        var socket = new ClientWebSocket();
        options?.Invoke(socket.Options);
        await socket.ConnectAsync(Address(url, query ?? $"userId={Uri.EscapeDataString(user)}&token={Edge.Token(user)}"), CancellationToken.None);
        return new SocketClient(socket);
    }

    public static Uri Address(Uri url, string query) => new UriBuilder(url) { Scheme = "ws", Path = "/sync/ws", Query = query }.Uri;

    public Task Send(string json) => SendBytes(Encoding.UTF8.GetBytes(json));

    public Task SendBytes(byte[] bytes, WebSocketMessageType type = WebSocketMessageType.Text) =>
        socket.SendAsync(bytes, type, endOfMessage: true, CancellationToken.None);

    public Task Ask(long? lastSeq = null)
    {
        // From here on it may be told again what it has.
        Cursor = lastSeq ?? 0;
        return Send(lastSeq is null ? """{"type":"SYNC_REQUEST"}""" : $$"""{"type":"SYNC_REQUEST","lastSeq":{{lastSeq}}}""");
    }

    /// <summary>Asks, and takes everything up to the answer.</summary>
    public async Task<JsonElement> Sync(long? lastSeq = null)
    {
        await Ask(lastSeq);
        return await Until(frame => Type(frame) == "SYNC_RESPONSE" && Has(frame, "lastSeq") && frame.GetProperty("message").GetString() is "Sync complete" or "No new data to sync");
    }

    /// <summary>Sends a change and takes everything up to its acknowledgement, or its error.</summary>
    public async Task<JsonElement> Mutate(string type, string members, string? id = null)
    {
        id ??= $"m-{Interlocked.Increment(ref mutations)}-{Guid.NewGuid():n}";
        await Send($$"""{"type":"{{type}}","mutationId":"{{id}}",{{members}}}""");
        return await Until(frame => Has(frame, "mutationId") && frame.GetProperty("mutationId").GetString() == id);
    }

    public Task<JsonElement> Next(string type) => Until(frame => Type(frame) == type);

    /// <summary>The next frame, whatever it is.</summary>
    public async Task<JsonElement> Next()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return await frames.Reader.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"No frame came. Seen: {string.Join('\n', Seen.TakeLast(20))}");
        }
    }

    public async Task<JsonElement> Until(Func<JsonElement, bool> is_)
    {
        while (true)
        {
            var frame = await Next();
            if (is_(frame)) return frame;
        }
    }

    /// <summary>The code the server closes with.</summary>
    public async Task<int> Closed()
    {
        await closed.Task.WaitAsync(Patience);
        return (int)(socket.CloseStatus ?? 0);
    }

    /// <summary>Everything sent before this has been answered; nothing else is on its way.</summary>
    public async Task<IReadOnlyList<JsonElement>> Settle()
    {
        var before = new List<JsonElement>();
        await Send("""{"type":"PING"}""");
        while (await Next() is var frame && Type(frame) != "PONG") before.Add(frame);
        return before;
    }

    /// <summary>Reads nothing more from the network until the answer is disposed of.</summary>
    public async Task<IDisposable> Stall()
    {
        await mayRead.WaitAsync();
        return new Resume(mayRead);
    }

    public async Task Drop()
    {
        socket.Abort();
        await closed.Task;
    }

    public static string Type(JsonElement frame) => frame.GetProperty("type").GetString()!;

    public static bool Has(JsonElement frame, string member) => frame.TryGetProperty(member, out _);

    public async ValueTask DisposeAsync()
    {
        socket.Abort();
        await closed.Task;
        socket.Dispose();
    }

    private async Task Read()
    {
        var buffer = new byte[64 * 1024];
        var message = new MemoryStream();
        try
        {
            while (true)
            {
                await mayRead.WaitAsync();
                mayRead.Release();
                var got = await socket.ReceiveAsync(buffer, CancellationToken.None);
                if (got.MessageType is WebSocketMessageType.Close) break;
                message.Write(buffer, 0, got.Count);
                if (!got.EndOfMessage) continue;
                using var document = JsonDocument.Parse(message.ToArray(), new JsonDocumentOptions { MaxDepth = 128 });
                Take(document.RootElement.Clone());
                message.SetLength(0);
            }
        }
        catch (WebSocketException)
        {
            // Cut off: the test sees it by its code.
        }
        catch (ObjectDisposedException)
        {
            // The test is over.
        }
        finally
        {
            frames.Writer.TryComplete();
            closed.TrySetResult();
        }
    }

    private void Take(JsonElement frame)
    {
        Watch(frame);
        Seen.Add(frame);
        frames.Writer.TryWrite(frame);
    }

    private void Watch(JsonElement frame)
    {
        if (frame.TryGetProperty("reset", out _) && frame.GetProperty("message").GetString() == "Sync reset") Cursor = 0;
        var reached = Math.Max(Number(frame, "seq") ?? 0, Number(frame, "lastSeq") ?? 0);
        if (Number(frame, "after") is { } after)
        {
            // A socket that did not ask is told from where it was.
            if (Cursor == 0 && Seen.Count == 1) Cursor = after;
            if (after > Cursor) faults.Add($"hole: after {after} at {Cursor} in {Cut(frame)}");
            if (reached <= Cursor && reached <= after) faults.Add($"repeat: {reached} at {Cursor} in {Cut(frame)}");
            if (reached < Cursor) faults.Add($"decrease: {reached} at {Cursor} in {Cut(frame)}");
        }
        else if (reached > Cursor && !IsAnswer(frame)) faults.Add($"ahead: {reached} at {Cursor} in {Cut(frame)}");

        Cursor = Math.Max(Cursor, reached);
    }

    private static bool IsAnswer(JsonElement frame) => Type(frame) == "SYNC_RESPONSE";

    private static long? Number(JsonElement frame, string member) => frame.TryGetProperty(member, out var value) ? value.GetInt64() : null;

    private static string Cut(JsonElement frame) => frame.ToString() is { Length: > 200 } text ? text[..200] : frame.ToString();

    private sealed class Resume(SemaphoreSlim mayRead) : IDisposable
    {
        public void Dispose() => mayRead.Release();
    }
}
