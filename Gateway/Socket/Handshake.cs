using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace Mirubato.Gateway.Socket;

/// <summary>The server's half of RFC 6455, 4.2.2, for a request that was found to be an upgrade.</summary>
internal static class Handshake
{
    /// <summary>
    /// Sends the 101 (over HTTP/2 the 200), and what the request is answered with is on the wire. Answers the stream behind it.
    /// </summary>
    public static async Task<Stream> Answer(HttpContext http, string? subprotocol)
    {
        var headers = http.Response.Headers;
        if (http.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
        {
            if (subprotocol is not null) headers.SecWebSocketProtocol = subprotocol;
            return await connect.AcceptAsync();
        }

        headers.Connection = "Upgrade";
        headers.Upgrade = "websocket";
        headers.SecWebSocketAccept = Accept(http.Request.Headers.SecWebSocketKey.ToString());
        if (subprotocol is not null) headers.SecWebSocketProtocol = subprotocol;
        return await http.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
    }

#pragma warning disable CA5350 // The standard fixes SHA-1 here; it proves that a WebSocket server answered, and protects nothing.
    private static string Accept(string key) =>
        Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
}
