using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// <c>GET /sync/ws</c>: lets a client in, or says why not, and stays until its socket is over. It stands ahead of the pipeline of the other
/// calls, because all that a request passed through stays in memory as long as its socket.
/// </summary>
internal sealed class SocketEndpoint(
    Admission admission, UserSocketsRegistry registry, RosterReports reports, SocketContext context, PingTimes pings)
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

            if (registry.IsDraining)
            {
                throw new UpgradeRefusedException(StatusCodes.Status503ServiceUnavailable, "The server restarts; connect again");
            }
            var facts = await admission.Admit(http);
            if (!context.Rates.TryTake(facts.User))
            {
                throw new UpgradeRefusedException(StatusCodes.Status429TooManyRequests, "Too many requests of this user");
            }
            await Open(http, Identify(http, facts));
        }
        catch (UpgradeRefusedException refused)
        {
            await Refuse(http, refused.Status, refused.Message);
        }
    }

    private static SocketIdentity Identify(HttpContext http, Auth.TokenFacts facts)
    {
        var device = http.Request.Headers[CommonHeaders.Device].ToString() is { Length: > 0 } header
            ? Uri.UnescapeDataString(header)
            : RedactedQuery.Read(http, "deviceId");
        return new SocketIdentity(facts.User, Guid.NewGuid().ToString("n"), UsableId.Is(device) ? new DeviceId(device) : null, facts);
    }

    private async Task Open(HttpContext http, SocketIdentity who)
    {
        var connection = new LiveConnection(who.ConnectionId, who.Device, context.NowMs);
        var place = new ReservedConnection(registry, reports, registry.Acquire(who.User, context), connection);
        var kept = false;
        try
        {
            who = await Admit(place, who);
            var protocol = Admission.Chosen(http);
            if (DetachedConnection.Find(http) is { } keeps)
            {
                await Handshake.Answer(http, protocol);
                keeps.Keep(then => Serve(then, place, who));
                kept = true;
            }
            else await Serve(http, protocol, place, who);
        }
        finally
        {
            if (!kept) place.Dispose();
        }
    }

    /// <summary>The user's coordinator decides whether there is room for another connection. The store is not asked.</summary>
    private async ValueTask<SocketIdentity> Admit(ReservedConnection place, SocketIdentity who)
    {
        try
        {
            var reply = await reports.Admit(place.Sockets);
            if (reply.Refused.Contains(who.ConnectionId))
            {
                throw new UpgradeRefusedException(
                    StatusCodes.Status429TooManyRequests, "Too many connections of this user; the limit is Limits:ConnectionsPerUser");
            }
            return who with { MinuteOldHead = reply.MinuteOldHead };
        }
        catch (StoreUnavailableException away)
        {
            context.Metrics.StoreFailed(away.Reason);
            throw new UpgradeRefusedException(
                StatusCodes.Status503ServiceUnavailable, "The server cannot reach this user's coordinator; connect again");
        }
    }

    /// <summary>The request is over, its connection is not.</summary>
    private async Task Serve(ConnectionContext connection, ReservedConnection place, SocketIdentity who)
    {
        using var held = place;
        await using var stream = new TransportStream(connection.Transport, context.Time);
        using var socket = Over(stream);
        try
        {
            using var session = Enter(socket, stream, place, who);
            await Run(session);
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

    private async Task Serve(HttpContext http, string? protocol, ReservedConnection place, SocketIdentity who)
    {
        // A reader that stalls is this server's to judge, after a minute; Kestrel would cut it off after seconds.
        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
        await using var stream = new UpgradedStream(await Handshake.Answer(http, protocol), context.Time);
        using var socket = Over(stream);
        Forget(http);
        using var session = Enter(socket, stream, place, who);
        await Run(session);
    }

    private WebSocket Over(Stream stream) =>
        WebSocket.CreateFromStream(
            stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = pings.Every, KeepAliveTimeout = pings.Within });

    /// <summary>What the request held is not kept as long as the socket: the token least of all.</summary>
    private static void Forget(HttpContext http)
    {
        http.Features.Set<RedactedQuery>(null);
        http.Features.Set<IQueryFeature>(null);
        http.Request.QueryString = QueryString.Empty;
        if (http.Features.Get<IHttpRequestFeature>() is { } request) request.RawTarget = Path;
        http.Request.Headers.Clear();
    }

    /// <summary>The user's sockets have it until it is disposed.</summary>
    private SocketSession Enter(WebSocket socket, MeteredStream stream, ReservedConnection place, SocketIdentity who)
    {
        var session = stream.Session = new SocketSession(context, socket, place.Sockets, who);
        place.Sockets.Enter(session);
        return session;
    }

    private Task Run(SocketSession session)
    {
        // A socket that was admitted while the others were being closed was not among them.
        if (registry.IsDraining) session.Close(CloseCode.Restarting);
        session.Greet();
        registry.AwaitRequest(session);
        return session.Run();
    }

    private Task Refuse(HttpContext http, int status, string error)
    {
        context.Metrics.SocketRefused(status);
        if (status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
        {
            http.Response.Headers.RetryAfter = "1";
        }
        return http.Answer(new UpgradeRefusal(error), WireJson.Default.UpgradeRefusal, status);
    }

    /// <summary>One connection among the user's, from before its upgrade to its end.</summary>
    private sealed class ReservedConnection(
        UserSocketsRegistry registry, RosterReports reports, UserSockets sockets, LiveConnection connection) : IDisposable
    {
        private readonly Reservation reservation = sockets.Roster.Reserve(connection);

        public UserSockets Sockets => sockets;

        public void Dispose()
        {
            sockets.Roster.Remove(reservation);
            LeaveThenRelease().Ignore();
        }

        private async Task LeaveThenRelease()
        {
            await reports.Leave(sockets);
            registry.Release(sockets);
        }
    }
}
