using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Sockets;

/// <summary>Where TLS ends in this process, a socket stays on its request: it must work all the same.</summary>
public sealed class TlsSocketTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-tls-").FullName;
    private string fingerprint = "";

    [Fact]
    public async Task A_socket_over_TLS_is_welcomed_answered_and_closed_in_order()
    {
        await using var server = await LiveServer.Start(
            $"--Storage:SqlitePath={Path.Combine(directory, "sync.db")}",
            "--urls=https://127.0.0.1:0", $"--Kestrel:Certificates:Default:Path={Certificate()}",
            "--Kestrel:Certificates:Default:Password=tls");
        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString(
            HashAlgorithmName.SHA256) == fingerprint;
        var address = new UriBuilder(server.Url) { Scheme = "wss", Path = "/sync/ws", Query = $"userId=ada&token={Edge.Token()}" }.Uri;

        await socket.ConnectAsync(address, CancellationToken.None);

        Assert.Contains("WELCOME", await Next(socket), StringComparison.Ordinal);
        foreach (var (piece, isLast) in new[] { ("", false), ("{\"type\":", false), ("", false), ("\"PING\"}", true) })
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(piece), WebSocketMessageType.Text, isLast, CancellationToken.None);
        }

        Assert.Contains("PONG", await Next(socket), StringComparison.Ordinal);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        Assert.Equal(WebSocketState.Closed, socket.State);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static async Task<string> Next(ClientWebSocket socket)
    {
        var buffer = new byte[4096];
        var got = await socket.ReceiveAsync(buffer, CancellationToken.None);
        return Encoding.UTF8.GetString(buffer, 0, got.Count);
    }

    private string Certificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var path = Path.Combine(directory, "tls.pfx");
        fingerprint = certificate.GetCertHashString(HashAlgorithmName.SHA256);
        File.WriteAllBytes(path, certificate.Export(X509ContentType.Pfx, "tls"));
        return path;
    }
}
