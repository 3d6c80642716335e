using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mirubato.Tests.Silo;

/// <summary>Stands between a process and PostgreSQL, and cuts the first connection whose bytes hold a given text.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    public const int CutsMax = 1;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource end = new();
    private readonly byte[] text;
    private readonly string host;
    private readonly int port;
    private readonly Task accepting;
    private int cuts;

    public CuttingProxy(string host, int port, string text)
    {
        (this.host, this.port, this.text) = (host, port, Encoding.UTF8.GetBytes(text));
        listener.Start();
        accepting = Accept();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public int Cuts => cuts;

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        listener.Stop();
        await accepting;
        end.Dispose();
    }

    private bool MayCut()
    {
        lock (listener) return cuts < CutsMax && ++cuts > 0;
    }

    private async Task Accept()
    {
        var relays = new List<Task>();
        try
        {
            while (true) relays.Add(Relay(await listener.AcceptTcpClientAsync(end.Token)));
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task Relay(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                await server.ConnectAsync(host, port, end.Token);
                await Task.WhenAny(Copy(client, server, text), Copy(server, client, []));
            }
            catch (Exception lost) when (lost is OperationCanceledException or IOException or SocketException)
            {
                // One side has gone, so the other is closed as well.
            }
        }
    }

    private async Task Copy(TcpClient from, TcpClient to, byte[] forbidden)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, end.Token) is > 0 and var read)
            {
                if (forbidden.Length > 0 && buffer.AsSpan(0, read).IndexOf(forbidden) >= 0 && MayCut()) return;
                await to.GetStream().WriteAsync(buffer.AsMemory(0, read), end.Token);
            }
        }
        catch (Exception lost) when (lost is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // As in Relay.
        }
    }
}
