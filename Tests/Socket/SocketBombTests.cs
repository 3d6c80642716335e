using System.Net.WebSockets;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>Runs alone, because it measures the memory of the whole process.</summary>
[Collection("alone")]
public sealed class SocketBombTests
{
    [Theory]
    [InlineData(WebSocketMessageType.Binary)]
    [InlineData(WebSocketMessageType.Text)]
    public async Task A_bomb_in_pieces_is_closed_with_1009_and_never_held(WebSocketMessageType type)
    {
        await using var stage = await Stage.Start();
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(
            SocketClient.Address(stage.Server.Url, $"userId={Stage.User}&token={Edge.Token(Stage.User)}"), CancellationToken.None);
        var piece = new byte[64 * 1024];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        try
        {
            for (var i = 0; i < 1_024; i++) await socket.SendAsync(piece, type, endOfMessage: false, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // Cut off, when it does not listen to the close.
        }

        var code = await CodeOf(socket);
        Assert.True(code is WebSocketCloseStatus.MessageTooBig or null, $"{code}");
        await Eventually.Holds(() => stage.Sessions.Count == 0);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 16 * 1024 * 1024);
    }

    private static async Task<WebSocketCloseStatus?> CodeOf(ClientWebSocket socket)
    {
        try
        {
            var buffer = new byte[4096];
            while ((await socket.ReceiveAsync(buffer, CancellationToken.None)).MessageType is not WebSocketMessageType.Close) { }
        }
        catch (WebSocketException)
        {
            // Cut off.
        }

        return socket.CloseStatus;
    }
}
