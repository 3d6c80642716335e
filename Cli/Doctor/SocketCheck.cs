using System.Net;
using System.Net.WebSockets;
using System.Text;
using Mirubato.Cli.Http;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Options;

namespace Mirubato.Cli.Doctor;

/// <summary>
/// A WebSocket through the public URL: it opens, the first frame comes at once, and a ping is answered. With the secret it is a real one,
/// of the user <c>mirubato-doctor</c>, who thereby exists and has nothing; else a token that does not count shows whether upgrades arrive.
/// </summary>
internal static class SocketCheck
{
    public const string User = "mirubato-doctor";
    private const string Check = "websocket";
    private const string Subprotocol = "mirubato.sync.v1";
    private static readonly TimeSpan FrameMax = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<Finding>> Run(Installation installation, Uri url, GatewayOptions? options)
    {
        var secret = options?.Auth.Secret;
        var token = secret is null
            ? "no.token.here"
            : SampleToken.For(User, options!.Auth, installation.Time.GetUtcNow(), TimeSpan.FromMinutes(5));
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.AddSubProtocol(Subprotocol);
        socket.Options.AddSubProtocol($"bearer.{token}");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        try
        {
            await socket.ConnectAsync(Address(url), patience.Token);
        }
        catch (Exception refused) when (refused is WebSocketException or OperationCanceledException or HttpRequestException)
        {
            return [Judge(socket, refused, secret is not null)];
        }

        return [await Talk(socket)];
    }

    private static Uri Address(Uri url) => new UriBuilder(new Uri(url, "sync/ws"))
    {
        Scheme = url.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs,
    }.Uri;

    private static Finding Judge(ClientWebSocket socket, Exception refused, bool hadSecret)
    {
        var status = socket.HttpStatusCode;
        var isServers = socket.HttpResponseHeaders?.Keys.Contains(ServerHeaders.Schema, StringComparer.OrdinalIgnoreCase) ?? false;
        if (status is HttpStatusCode.Unauthorized && isServers)
            return hadSecret
                ? Finding.Bad(
                    Check, "The server refuses a token signed with the Auth:Secret of these settings.",
                    "Set the same Auth:Secret, Auth:Issuer and Auth:Audience here and there, and synchronize the clocks.")
                : Finding.Good(Check, "An upgrade arrives at the server.");
        if (status is HttpStatusCode.UpgradeRequired)
            return Finding.Bad(
                Check, "The upgrade does not arrive: the server was sent an ordinary request.",
                "Let the proxy pass Upgrade and Connection on, over HTTP/1.1 (nginx: proxy_http_version 1.1; proxy_set_header Upgrade "
                    + "$http_upgrade; proxy_set_header Connection upgrade).");
        return Finding.Bad(
            Check, $"No socket opens ({(status == 0 ? refused.Message : ((int)status).ToString())}).",
            isServers
                ? "See docs/protocol.md, Opening, for what the server means by this status."
                : "Let the proxy pass /sync/ws on to the server, as a WebSocket.");
    }

    private static async Task<Finding> Talk(ClientWebSocket socket)
    {
        try
        {
            var welcome = await Receive(socket);
            using var patience = new CancellationTokenSource(FrameMax);
            await socket.SendAsync("{\"type\":\"PING\"}"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, patience.Token);
            var answer = await Receive(socket);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
            return welcome.Contains("WELCOME", StringComparison.Ordinal) && answer.Contains("PONG", StringComparison.Ordinal)
                ? Finding.Good(Check, "A socket opens, and frames come at once.")
                : Finding.Bad(Check, "What answers on the socket is not this server.", "Let the proxy pass /sync/ws on to the server.");
        }
        catch (Exception silent) when (silent is TimeoutException or WebSocketException or OperationCanceledException)
        {
            return Finding.Bad(
                Check, "A socket opens, and then nothing comes, or it is cut.",
                "Turn buffering off for /sync/ws in the proxy, and set its tunnel timeout to 1 h (nginx: proxy_buffering off; "
                    + "proxy_read_timeout 1h).");
        }
    }

    private static async Task<string> Receive(ClientWebSocket socket)
    {
        var buffer = new byte[4096];
        var received = await socket.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(FrameMax);
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }
}
