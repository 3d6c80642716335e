using System.Net;
using System.Net.Sockets;
using System.Text;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Ws;

/// <summary>
/// One WebSocket over a plain socket, with the buffers it keeps. ClientWebSocket would copy, allocate and hop between threads for each
/// frame, on the very cores the server is to be measured on.
/// </summary>
internal sealed class WsConnection : IDisposable
{
    private const byte CloseFrame = 8;
    private const byte PingFrame = 9;
    private readonly Socket socket;
    private readonly ServerFrames frames = new();
    private readonly Lock sending = new();
    private volatile TaskCompletionSource? pause;

    private WsConnection(Socket socket) => this.socket = socket;

    /// <summary>Why it is over, in the server's words where there are any; null while it is not.</summary>
    public string? Ended { get; private set; }

    /// <param name="receiveBytes">Of the system's buffer; 0: as it is. A small one makes a reader that stalls be noticed at once.</param>
    /// <exception cref="BenchFailure">The server does not upgrade.</exception>
    /// <exception cref="SocketException">Nobody listens there, or there are no more files or ports to be had.</exception>
    public static async Task<WsConnection> Open(UpgradeRequest upgrade, CancellationToken cancel, int receiveBytes = 0)
    {
        var socket = new Socket(
            upgrade.From?.AddressFamily ?? AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        { NoDelay = true };
        var connection = new WsConnection(socket);
        try
        {
            if (receiveBytes > 0)
                socket.ReceiveBufferSize = receiveBytes;
            if (upgrade.From is not null)
                socket.Bind(new IPEndPoint(upgrade.From, 0));
            await socket.ConnectAsync(upgrade.To, cancel);
            await connection.Upgrade(upgrade.Request, cancel);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sends a finished frame. It blocks where the server does not read: then there is nothing else to do either.</summary>
    public void Send(ReadOnlySpan<byte> frame)
    {
        lock (sending)
        {
            while (!frame.IsEmpty)
                frame = frame[socket.Send(frame)..];
        }
    }

    /// <summary>
    /// Hands every text frame to <paramref name="sink"/> until the connection is over. It never throws: <see cref="Ended"/> says why.
    /// </summary>
    public async Task Receive(IFrameSink sink)
    {
        try
        {
            while (Deliver(sink))
            {
                if (pause is { } paused)
                    await paused.Task;
                var count = await socket.ReceiveAsync(frames.FreeSpace, SocketFlags.None);
                if (count == 0)
                    break;
                frames.Filled(count);
            }
            Ended ??= "The server hung up without a close frame.";
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or BenchFailure)
        {
            Ended ??= e.Message;
        }
        sink.Over(Ended);
    }

    /// <summary>Stops reading until <see cref="Resume"/>.</summary>
    public void Pause() => pause = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume()
    {
        var paused = pause;
        pause = null;
        paused?.TrySetResult();
    }

    public void Dispose()
    {
        Ended ??= "Closed by the bench.";
        socket.Dispose();
        Resume();
    }

    private async Task Upgrade(byte[] request, CancellationToken cancel)
    {
        await socket.SendAsync(request, SocketFlags.None, cancel);
        ReadOnlyMemory<byte>? head;
        while ((head = frames.TakeThrough("\r\n\r\n"u8)) is null)
        {
            var count = await socket.ReceiveAsync(frames.FreeSpace, SocketFlags.None, cancel);
            if (count == 0)
                throw new IOException("The server hung up on the upgrade.");
            frames.Filled(count);
        }
        var text = Encoding.UTF8.GetString(head.Value.Span);
        if (text.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal))
            return;
        var status = int.TryParse(text.AsSpan("HTTP/1.1 ".Length, 3), out var number) ? number : 0;
        if (status == 401)
            FatalStatuses.Throw(status);
        throw new BenchFailure($"The server does not upgrade (HTTP {status}): {Encoding.UTF8.GetString(frames.Unread)}");
    }

    private bool Deliver(IFrameSink sink)
    {
        while (frames.TryNext())
        {
            if (frames.Opcode == 1)
                sink.Frame(frames.Payload.Span);
            else if (frames.Opcode == PingFrame)
                Send(ClientFrame.Write(ClientFrame.Pong, frames.Payload.Span));
            else if (frames.Opcode == CloseFrame)
                return Closed(frames.Payload.Span);
        }
        return true;
    }

    private bool Closed(ReadOnlySpan<byte> payload)
    {
        var code = payload.Length < 2 ? 0 : (payload[0] << 8) | payload[1];
        Ended = $"The server closed with {code}: {(payload.Length < 2 ? "" : Encoding.UTF8.GetString(payload[2..]))}";
        return false;
    }
}
