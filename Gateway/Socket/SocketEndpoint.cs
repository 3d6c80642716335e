using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// <c>GET /sync/ws</c>: lets a client in, or says why not, and stays until its socket is over. It stands ahead of the pipeline of the other
/// calls, because all that a request passed through stays in memory as long as its socket.
/// </summary>
internal sealed class SocketEndpoint(Admission admission, LiveRooms rooms, ConnectionBook book, SocketContext context, PingTimes pings)
{
    public const string Path = "/sync/ws";

    public async Task Serve(HttpContext http)
    {
        try
        {
            if (!http.WebSockets.IsWebSocketRequest)
            {
                http.Response.Headers.Upgrade = "websocket";
                throw new UpgradeRefusedException(StatusCodes.Status426UpgradeRequired, "Expected a WebSocket upgrade");
            }

            if (rooms.IsDraining) throw new UpgradeRefusedException(StatusCodes.Status503ServiceUnavailable, "The server restarts; connect again");
            await Open(http, Identify(http, await admission.Admit(http)));
        }
        catch (UpgradeRefusedException refused)
        {
            await Refuse(http, refused.Status, refused.Message);
        }
    }

    private static SocketIdentity Identify(HttpContext http, Auth.TokenFacts facts)
    {
        var device = http.Request.Headers[CommonHeaders.Device].ToString() is { Length: > 0 } header ? header : http.Request.Query["deviceId"].ToString();
        return new SocketIdentity(facts.User, Guid.NewGuid().ToString("n"), UsableId.Is(device) ? new DeviceId(device) : null, facts);
    }

    private async Task Open(HttpContext http, SocketIdentity who)
    {
        var room = rooms.Hold(who.User);
        try
        {
            using var place = new Reserved(room);
            if (!place.IsTaken) throw new UpgradeRefusedException(StatusCodes.Status429TooManyRequests, "Too many connections of this user");
            // A reader that stalls is this server's to judge, after a minute; Kestrel would cut it off after seconds.
            if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
            using var socket = await http.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
            {
                SubProtocol = Admission.Chosen(http),
                KeepAliveInterval = pings.Every,
                KeepAliveTimeout = pings.Within,
            });
            Forget(http);
            using var session = new SocketSession(context, socket, room, who);
            await Serve(session, room, place);
        }
        finally
        {
            rooms.LetGo(room);
        }
    }

    /// <summary>What the request held is not kept as long as the socket: the token least of all.</summary>
    private static void Forget(HttpContext http)
    {
        http.Features.Set<HiddenTokens>(null);
        http.Features.Set<IQueryFeature>(null);
        http.Request.QueryString = QueryString.Empty;
        if (http.Features.Get<IHttpRequestFeature>() is { } request) request.RawTarget = Path;
        http.Request.Headers.Clear();
    }

    private async Task Serve(SocketSession session, Room room, Reserved place)
    {
        place.Fill(session);
        context.Metrics.SocketOpened();
        book.Opened(session);
        try
        {
            session.Greet(room.Announced?.Seq.Number);
            rooms.AwaitRequest(session);
            await session.Run();
        }
        finally
        {
            room.Leave(session);
            book.Closed(session);
            context.Metrics.SocketEnded();
        }
    }

    private Task Refuse(HttpContext http, int status, string error)
    {
        context.Metrics.SocketRefused(status);
        if (status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable) http.Response.Headers.RetryAfter = "1";
        return http.Answer(status, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new UpgradeRefusal(error), WireJson.Default.UpgradeRefusal), ContentTypes.Json);
    }

    /// <summary>A place in the room, held while the upgrade is under way.</summary>
    private sealed class Reserved(Room room) : IDisposable
    {
        private bool isHeld;

        public bool IsTaken { get; } = room.TryReserve();

        public void Fill(SocketSession session)
        {
            room.Enter(session);
            isHeld = true;
        }

        public void Dispose()
        {
            if (IsTaken && !isHeld) room.GiveBack();
        }
    }
}
