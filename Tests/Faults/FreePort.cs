using System.Net;
using System.Net.Sockets;

namespace Mirubato.Tests.Faults;

/// <summary>
/// A port nobody listens on. It lies below those the system hands out for outgoing connections, so that none of these takes it while its
/// owner restarts.
/// </summary>
internal static class FreePort
{
    private const int Lowest = 10_000;
    private const int Highest = 32_000;

    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(Lowest, Highest);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }
    }
}
