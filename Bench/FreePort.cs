using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Mirubato.Bench;

/// <summary>
/// A port nobody listens on, for a process that is about to start and may be started there again. It lies below those the system hands
/// out by itself: each outgoing connection and each server on port 0 takes one of these, at any time before the process listens.
/// </summary>
internal static class FreePort
{
    private const int Lowest = 10_000;
    private const int Highest = 32_000;

    private static readonly ConcurrentDictionary<int, bool> given = [];

    /// <summary>A port that this process was not given before.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(Lowest, Highest);
            if (IsFree(port) && given.TryAdd(port, true)) return port;
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
