using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.Socket;

internal sealed record SocketContext(
    Coordinators Coordinators,
    IUserReader Reader,
    [FromKeyedServices(ServerClock.Key)] TimeProvider Time,
    GatewayMetrics Metrics,
    TokenCheck Tokens,
    UserRates Rates,
    ILogger<SocketSession> Log)
{
    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Now as it goes out.</summary>
    public string Now => IsoTime.Text(Time.GetUtcNow());
}

/// <summary>Whose socket it is. A device may be named only later, by an event.</summary>
internal sealed record SocketIdentity(UserId User, string ConnectionId, DeviceId? Device, TokenFacts Token)
{
    /// <summary>A revision that the history had reached a minute before the socket opened, if its coordinator knew one.</summary>
    public SyncToken? MinuteOldHead { get; init; }
}
