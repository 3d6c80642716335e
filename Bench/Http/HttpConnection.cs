using System.Net.Security;
using System.Net.Sockets;

namespace Mirubato.Bench.Http;

/// <summary>
/// One keep-alive connection that sends finished requests as they are. HttpClient would build, validate and pool
/// things anew for each of them, on the very cores the server is to be measured on.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly Stream stream;
    private readonly ResponseReader reader;

    private HttpConnection(Stream stream) => (this.stream, reader) = (stream, new ResponseReader(stream));

    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static async Task<HttpConnection> Open(Target target, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(target.EndPoint, cancel);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (target.IsTls)
                stream = await Encrypt(stream, target, cancel);
            return new HttpConnection(stream);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The answer is valid until the next call. To give up on a silent server, dispose the connection.</summary>
    /// <exception cref="IOException">The connection broke; it cannot be used again.</exception>
    public async ValueTask<ResponseReader> Exchange(ReadOnlyMemory<byte> request, int keepBytesMax)
    {
        await stream.WriteAsync(request);
        await reader.Read(keepBytesMax);
        return reader;
    }

    public void Dispose() => stream.Dispose();

    private static async Task<Stream> Encrypt(Stream plain, Target target, CancellationToken cancel)
    {
        var secure = new SslStream(plain);
        await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = target.Url.IdnHost }, cancel);
        return secure;
    }
}
