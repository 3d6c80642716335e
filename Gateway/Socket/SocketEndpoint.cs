using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;
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
        var place = new Place(rooms, who.User);
        var kept = false;
        try
        {
            if (!place.IsReserved) throw new UpgradeRefusedException(StatusCodes.Status429TooManyRequests, "Too many connections of this user");
            var protocol = Admission.Chosen(http);
            if (KeptConnection.Of(http) is { } connection)
            {
                await Handshake.Answer(http, protocol);
                connection.Keep(then => Serve(then, place, who));
                kept = true;
            }
            else await Serve(http, protocol, place, who);
        }
        finally
        {
            if (!kept) place.Dispose();
        }
    }

    /// <summary>The request is over, its connection is not.</summary>
    private async Task Serve(ConnectionContext connection, Place place, SocketIdentity who)
    {
        using var held = place;
        await using var stream = new TransportStream(connection.Transport);
        using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = pings.Every, KeepAliveTimeout = pings.Within });
        try
        {
            await Serve(socket, place, who);
        }
        finally
        {
            // Closed in order, the peer still has to read the last of it; it does so soon, or is not there any more.
            if (socket.State is WebSocketState.Closed) _ = CutLater(connection);
            else connection.Abort(new ConnectionAbortedException("The socket was not closed in order."));
        }
    }

    private async Task CutLater(ConnectionContext connection)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(SocketLimits.ClosingMs), context.Time);
        connection.Abort(new ConnectionAbortedException("What was sent last is not read."));
    }

    private async Task Serve(HttpContext http, string? protocol, Place place, SocketIdentity who)
    {
        // A reader that stalls is this server's to judge, after a minute; Kestrel would cut it off after seconds.
        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
        using var socket = await http.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            SubProtocol = protocol,
            KeepAliveInterval = pings.Every,
            KeepAliveTimeout = pings.Within,
        });
        Forget(http);
        await Serve(socket, place, who);
    }

    /// <summary>What the request held is not kept as long as the socket: the token least of all.</summary>
    private static void Forget(HttpContext http)
    {
        http.Features.Set<HiddenQuery>(null);
        http.Features.Set<IQueryFeature>(null);
        http.Request.QueryString = QueryString.Empty;
        if (http.Features.Get<IHttpRequestFeature>() is { } request) request.RawTarget = Path;
        http.Request.Headers.Clear();
    }

    private async Task Serve(WebSocket socket, Place place, SocketIdentity who)
    {
        using var session = new SocketSession(context, socket, place.Room, who);
        place.Fill(session);
        context.Metrics.SocketOpened();
        book.Opened(session);
        try
        {
            // Whoever came in while the sockets were asked to go was not among them.
            if (rooms.IsDraining) session.Close(CloseCode.Restarting);
            session.Greet(place.Room.Announced?.Seq.Number);
            rooms.AwaitRequest(session);
            await session.Run();
        }
        finally
        {
            place.Room.Leave(session);
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

    /// <summary>A place in the user's room: reserved while the upgrade is under way, then the session's.</summary>
    private sealed class Place : IDisposable
    {
        private readonly LiveRooms rooms;
        private bool isFilled;

        public Place(LiveRooms rooms, UserId user)
        {
            this.rooms = rooms;
            Room = rooms.Hold(user);
            IsReserved = Room.TryReserve();
        }

        public Room Room { get; }

        public bool IsReserved { get; }

        public void Fill(SocketSession session)
        {
            Room.Enter(session);
            isFilled = true;
        }

        public void Dispose()
        {
            if (IsReserved && !isFilled) Room.GiveBack();
            rooms.LetGo(Room);
        }
    }
}
