namespace Mirubato.Gateway.Socket;

/// <summary>
/// The protocol's own pings. They run by the machine's clock, whatever time it is for the sockets; a test that waits for them shortens
/// them.
/// </summary>
internal sealed record PingTimes(TimeSpan Every, TimeSpan Within)
{
    public static readonly PingTimes Default = new(
        TimeSpan.FromMilliseconds(SocketLimits.PingEveryMs), TimeSpan.FromMilliseconds(SocketLimits.PongWithinMs));
}
