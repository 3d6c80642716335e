using System.Net.Sockets;
using System.Text;

namespace Mirubato.Tests.Gateway;

/// <summary>One connection of a client that sends bytes as they stand, and reads when it is told to.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket socket;

    private RawConnection(Socket socket) => this.socket = socket;

    /// <summary>The server cut it.</summary>
    public bool IsReset => socket.Poll(0, SelectMode.SelectError);

    public static Task<RawConnection> Open(Edge edge) => Open(new Uri(edge.Url));

    public static async Task<RawConnection> Open(Uri url)
    {
        // A small window, so that little of an answer that is not read lies in the system's buffers.
        var socket = new Socket(
            AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        { ReceiveBufferSize = 4 * 1024, NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", url.Port);
        return new RawConnection(socket);
    }

    /// <summary>Asks, and does not read the answer.</summary>
    public static async Task<RawConnection> Ask(Edge edge, string path, string user = "ada")
    {
        var connection = await Open(edge);
        await connection.Send($"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {Edge.Token(user)}\r\n\r\n");
        return connection;
    }

    public Task Send(string text) => Send(Encoding.Latin1.GetBytes(text));

    public async Task Send(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[await socket.SendAsync(bytes)..];
    }

    public Task Post(string path, string headers, string user = "ada") =>
        Send($"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {Edge.Token(user)}\r\n{headers}\r\n\r\n");

    /// <summary>What comes until the server closes.</summary>
    public async Task<string> ReadToEnd()
    {
        var answer = new MemoryStream();
        var buffer = new byte[64 * 1024];
        try
        {
            while (await socket.ReceiveAsync(buffer) is var read and > 0) answer.Write(buffer, 0, read);
        }
        catch (SocketException)
        {
            // A server that cuts a connection resets it.
        }

        return Encoding.Latin1.GetString(answer.GetBuffer(), 0, (int)answer.Length);
    }

    public void Dispose() => socket.Dispose();
}
