using System.Net;
using System.Text;
using Mirubato.Bench.Http;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Ws;

/// <summary>Where and as whom to connect, ready to be sent, so that what is timed is the server's part.</summary>
/// <param name="To">The server.</param>
/// <param name="Request">The upgrade, as the bytes that go out.</param>
/// <param name="From">A loopback address of one's own, where one has not ports enough for all; else null.</param>
internal sealed record UpgradeRequest(EndPoint To, byte[] Request, IPAddress? From = null)
{
    // Fixed: the server's answer to it is not checked, because no cache is between two ends of a loopback.
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    public static UpgradeRequest Create(Target target, Identity identity, IPAddress? from = null) => new(
        target.EndPoint,
        Encoding.ASCII.GetBytes(
            $"GET {target.PathBase}/sync/ws?userId={identity.User}&token={identity.Token} HTTP/1.1\r\nHost: {target.Url.Authority}\r\n"
            + $"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {Key}\r\n\r\n"),
        from);
}
