using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Gateway.Socket;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>Peers that a well-behaved client never is.</summary>
public sealed class SocketPeerTests
{
    private static readonly PingTimes Impatient = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(4));

    // Shorter than a ping of the protocol takes to find out.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_half_open_socket_that_answers_no_ping_is_dropped_and_counts_no_longer()
    {
        await using var stage = await Stage.Start(Impatient);
        var answering = await stage.Live();
        using var mute = await Upgraded(stage);
        Assert.Equal(2, stage.Sessions.Count);

        // It reads, so that the pings arrive, and answers none.
        var got = await UntilEnd(mute).WaitAsync(Patience);
        Assert.Contains("WELCOME", Encoding.UTF8.GetString(got), StringComparison.Ordinal);
        await Eventually.Holds(() => stage.Sessions.Count != 2);
        await answering.Settle();
        Assert.Single(stage.Sessions);
    }

    [Fact]
    public async Task A_peer_that_does_not_answer_the_close_is_cut_off_after_five_seconds()
    {
        await using var stage = await Stage.Start();
        using var mute = await Upgraded(stage);
        await stage.Pass(300);
        Assert.Empty(stage.Sessions);
        await stage.Pass(4);
        var end = UntilEnd(mute);
        var registry = stage.Server.Services.GetRequiredService<UserSocketsRegistry>();
        Assert.Single(registry.All());
        await stage.Pass(1);
        await end.WaitAsync(Patience);
        await Eventually.Holds(() => registry.All().Count == 0);
    }

    [Fact]
    public async Task A_peer_that_vanishes_is_forgotten()
    {
        await using var stage = await Stage.Start();
        var sockets = new List<TcpClient>();
        for (var i = 0; i < 10; i++) sockets.Add(await Upgraded(stage));
        foreach (var socket in sockets)
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        }

        await Eventually.Holds(() => stage.Sessions.Count == 0);
        for (var i = 0; i < 10; i++) await stage.Open();
    }

    [Fact]
    public async Task A_binary_frame_past_a_mebibyte_is_closed_with_1009()
    {
        await using var stage = await Stage.Start();
        var client = await stage.Live();
        await client.SendBytes(Encoding.UTF8.GetBytes("{\"type\":\"PING\"}".PadRight(1024 * 1024)), WebSocketMessageType.Binary);
        await client.Next("PONG");
        await client.SendBytes(new byte[(1024 * 1024) + 1], WebSocketMessageType.Binary);
        Assert.Equal(1009, await client.Closed());
    }

    /// <summary>The server answers 101 a moment before the socket is there: no time may pass in between.</summary>
    private static async Task<TcpClient> Upgraded(Stage stage)
    {
        var before = stage.Sessions.Count;
        var socket = await Upgraded(stage.Server.Url);
        await Eventually.Holds(() => stage.Sessions.Count != before);
        return socket;
    }

    /// <summary>A connection that is a socket by now, and from which nothing is read but that.</summary>
    internal static async Task<TcpClient> Upgraded(Uri url)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", url.Port);
        var request =
            $"GET /sync/ws?userId={Stage.User}&token={Edge.Token(Stage.User)} HTTP/1.1\r\nHost: localhost\r\nConnection: "
            + $"Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        var buffer = new byte[1024];
        var text = "";
        while (!text.Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            text += Encoding.Latin1.GetString(buffer, 0, await socket.GetStream().ReadAsync(buffer.AsMemory(0, 1)));
        }
        Assert.StartsWith("HTTP/1.1 101", text, StringComparison.Ordinal);
        return socket;
    }

    private static async Task<byte[]> UntilEnd(TcpClient socket)
    {
        var all = new MemoryStream();
        try
        {
            await socket.GetStream().CopyToAsync(all);
        }
        catch (IOException)
        {
            // Reset: dropped all the same.
        }

        return all.ToArray();
    }
}
