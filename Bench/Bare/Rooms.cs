using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Mirubato.Bench.Ws;

namespace Mirubato.Bench.Bare;

/// <summary>The sockets of each user. Whatever one sends goes to the others as it is, with the next number, and is acknowledged.</summary>
internal sealed class Rooms
{
    private const int FrameBytesMax = 64 * 1024;
    private static readonly byte[] Welcome = "{\"type\":\"WELCOME\"}"u8.ToArray();
    private readonly ConcurrentDictionary<string, Room> rooms = new();

    public async Task Join(HttpContext context)
    {
        var room = rooms.GetOrAdd(context.Request.Query["userId"].ToString(), _ => new Room());
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await Send(socket, Welcome);
        room.Add(socket);
        var frame = new byte[FrameBytesMax];
        try
        {
            while (await Receive(socket, frame) is { } length)
                await room.Take(socket, frame.AsSpan(0, length));
        }
        catch (WebSocketException)
        {
            // The client went without a close, as Bench does.
        }
        finally
        {
            room.Remove(socket);
        }
    }

    private static async Task<int?> Receive(WebSocket socket, byte[] frame)
    {
        for (var length = 0; ;)
        {
            var part = await socket.ReceiveAsync(frame.AsMemory(length), CancellationToken.None);
            if (part.MessageType == WebSocketMessageType.Close)
                return null;
            length += part.Count;
            if (part.EndOfMessage)
                return length;
        }
    }

    private static Task Send(WebSocket socket, ReadOnlyMemory<byte> json) =>
        socket.SendAsync(json, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None).AsTask();

    /// <summary>One user's sockets and numbers. Sending begins under the lock, so that everybody hears the events in one order.</summary>
    private sealed class Room
    {
        private readonly Lock gate = new();
        private readonly List<WebSocket> members = [];
        private long seq;

        public void Add(WebSocket socket)
        {
            lock (gate) members.Add(socket);
        }

        public void Remove(WebSocket socket)
        {
            lock (gate) members.Remove(socket);
        }

        public Task Take(WebSocket sender, ReadOnlySpan<byte> frame)
        {
            lock (gate)
            {
                if (FrameText.Begins(frame, "SYNC_REQUEST"u8))
                    return Send(sender, Encoding.ASCII.GetBytes($$"""{"type":"SYNC_RESPONSE","entities":[],"lastSeq":{{seq}}}"""));
                byte[] numbered = [.. frame[..^1], .. Encoding.ASCII.GetBytes($",\"after\":{seq},\"seq\":{++seq}}}")];
                var sends = members.Where(member => member != sender && member.State == WebSocketState.Open)
                    .Select(member => Send(member, numbered)).ToList();
                sends.Add(Send(sender, Encoding.ASCII.GetBytes(
                    $$"""{"type":"SYNC_RESPONSE","message":"Mutation applied","status":"created","lastSeq":{{seq}}}""")));
                return Task.WhenAll(sends);
            }
        }
    }
}
