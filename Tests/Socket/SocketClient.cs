using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Sockets;

/// <summary>
/// One socket, recorded. It watches every frame for what must never be: a hole, a repeat, a decrease, a revision beyond what it was sent.
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

    /// <summary>It has sent a request and the answer's end has not come: until then it may receive again what it has.</summary>
    private volatile bool asking;

    /// <summary>True if the first revision of this socket is known. Without a request the server chooses it.</summary>
    private bool begun;

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
        await socket.ConnectAsync(
            Address(url, query ?? $"userId={Uri.EscapeDataString(user)}&token={Edge.Token(user)}"), CancellationToken.None);
        return new SocketClient(socket);
    }

    public static Uri Address(Uri url, string query) => new UriBuilder(url) { Scheme = "ws", Path = "/sync/ws", Query = query }.Uri;

    /// <summary>
    /// Acknowledgements that carried the cursor over more than they acknowledge. With one gateway there are none; with several, what lies
    /// between may have been replaced by the very change that is acknowledged.
    /// </summary>
    public List<string> Jumps { get; } = [];

    public Task Send(string json)
    {
        if (json.StartsWith("{\"type\":\"SYNC_REQUEST\"", StringComparison.Ordinal)) Asks(json);
        return SendBytes(Encoding.UTF8.GetBytes(json));
    }

    public Task SendBytes(byte[] bytes, WebSocketMessageType type = WebSocketMessageType.Text) =>
        socket.SendAsync(bytes, type, endOfMessage: true, CancellationToken.None);

    /// <summary>One message in as many frames.</summary>
    public async Task SendPieces(params string[] pieces)
    {
        for (var i = 0; i < pieces.Length; i++)
        {
            await socket.SendAsync(
                Encoding.UTF8.GetBytes(pieces[i]), WebSocketMessageType.Text, endOfMessage: i == pieces.Length - 1, CancellationToken.None);
        }
    }

    public Task Ask(long? lastSeq = null) =>
        Send(lastSeq is null ? """{"type":"SYNC_REQUEST"}""" : $$"""{"type":"SYNC_REQUEST","lastSeq":{{lastSeq}}}""");

    /// <summary>Asks, and takes everything up to the answer.</summary>
    public async Task<JsonElement> Sync(long? lastSeq = null)
    {
        await Ask(lastSeq);
        return await Until(
            frame =>
                Type(frame) == "SYNC_RESPONSE"
                    && Has(frame, "lastSeq")
                    && frame.GetProperty("message").GetString() is "Sync complete" or "No new data to sync");
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

    private void Asks(string json)
    {
        using var request = JsonDocument.Parse(json);
        asking = true;
        begun = true;
        Cursor = request.RootElement.TryGetProperty("lastSeq", out var seq)
            && seq.ValueKind is JsonValueKind.Number
            && seq.TryGetInt64(out var number)
            ? number
            : 0;
    }

    private void Watch(JsonElement frame)
    {
        if (Is(frame, "Sync reset")) Cursor = 0;
        var reached = Math.Max(Number(frame, "seq") ?? 0, Number(frame, "lastSeq") ?? 0);
        if (reached > 0 && !begun) (begun, Cursor) = (true, Number(frame, "after") ?? reached);
        if (Number(frame, "after") is { } after) WatchStream(frame, after, reached);
        else if (reached > Cursor) WatchAhead(frame, reached);
        if (Is(frame, "Sync complete") || Is(frame, "No new data to sync")) asking = false;
        Cursor = Math.Max(Cursor, reached);
    }

    private void WatchStream(JsonElement frame, long after, long reached)
    {
        if (after > Cursor) faults.Add($"hole: after {after} at {Cursor} in {Cut(frame)}");
        if (reached <= after) faults.Add($"nothing: {after} to {reached} in {Cut(frame)}");
        if (reached <= Cursor && !asking)
        {
            faults.Add($"{(reached == Cursor ? "repeat" : "decrease")}: {reached} at {Cursor} in {Cut(frame)}");
        }
    }

    /// <summary>
    /// Without a place in the stream a frame may name no more than was sent, or than its receiver sent itself and is told now.
    /// </summary>
    private void WatchAhead(JsonElement frame, long reached)
    {
        // After a reset there may be nothing left to send up to the end.
        if (Has(frame, "reset")) return;
        if (!Is(frame, "Mutation applied") || Own(frame) == 0) faults.Add($"ahead: {reached} at {Cursor} in {Cut(frame)}");
        else if (reached > Cursor + Own(frame)) Jumps.Add($"{Cursor} to {reached} by {Cut(frame)}");
    }

    /// <summary>The revisions that an acknowledgement's own changes took.</summary>
    private static int Own(JsonElement ack)
    {
        if (ack.TryGetProperty("results", out var results)) return results.EnumerateArray().Count(Took);
        return Took(ack) ? 1 : 0;

        static bool Took(JsonElement result) => result.GetProperty("status").GetString() is "created" or "updated" or "deleted";
    }

    private static bool Is(JsonElement frame, string message) =>
        frame.TryGetProperty("message", out var said) && said.GetString() == message;

    private static long? Number(JsonElement frame, string member) => frame.TryGetProperty(member, out var value) ? value.GetInt64() : null;

    private static string Cut(JsonElement frame) => frame.ToString() is { Length: > 200 } text ? text[..200] : frame.ToString();

    private sealed class Resume(SemaphoreSlim mayRead) : IDisposable
    {
        public void Dispose() => mayRead.Release();
    }
}
