using System.Net;
using System.Net.Sockets;
using Mirubato.Gateway.Socket;
using Mirubato.Tests.EndToEnd;

namespace Mirubato.Tests.Sockets;

/// <summary>How much one socket may send, whatever it is made of, and that its writes count as the user's requests.</summary>
public sealed class SocketRateTests
{
    private static readonly byte[] Ping = [0x89, 0x80, 0, 0, 0, 0];
    private static readonly byte[] Pong = [0x8A, 0x80, 0, 0, 0, 0];
    private static readonly byte[] Fragment = [0x00, 0x80, 0, 0, 0, 0];
    private static readonly byte[] FirstFragment = [0x01, 0x80, 0, 0, 0, 0];

    /// <summary>A text message <c>{"type":"PING"}</c> under a mask of zeros.</summary>
    private static readonly byte[] Message = [0x81, 0x80 | 15, 0, 0, 0, 0, .. "{\"type\":\"PING\"}"u8];

    /// <summary>A close frame with 1008, as a server sends it.</summary>
    private static readonly byte[] Abuse = [0x03, 0xF0];

    public static TheoryData<byte[], byte[], int> Floods => new()
    {
        { Ping, Ping, SocketLimits.WireFramesBurst },
        { Pong, Pong, SocketLimits.WireFramesBurst },
        { FirstFragment, Fragment, SocketLimits.FragmentsMax },
    };

    [Theory]
    [MemberData(nameof(Floods))]
    public async Task Empty_frames_are_tolerated_up_to_a_bound_and_one_more_closes_with_1008(byte[] first, byte[] next, int bound)
    {
        await using var stage = await Stage.Start();
        using var peer = await SocketPeerTests.Upgraded(stage.Server.Url);
        using var received = new Received(peer);
        await peer.GetStream().WriteAsync(Repeated(first, next, bound == SocketLimits.FragmentsMax ? bound : bound - 1));
        // The socket is served on, so that all of it was read and was not too much: a message in between is answered.
        if (bound != SocketLimits.FragmentsMax) await peer.GetStream().WriteAsync(Message);
        if (bound != SocketLimits.FragmentsMax) await received.Until("PONG"u8.ToArray());
        Assert.Single(stage.Sessions);

        await peer.GetStream().WriteAsync(next);

        await received.Until(Abuse);
        Assert.Empty(stage.Sessions);
        await stage.Pass(10);
        await received.End;
    }

    [Fact]
    public async Task Writes_by_a_socket_and_upgrades_count_as_requests_of_the_user()
    {
        const int burst = 40;
        var directory = Directory.CreateTempSubdirectory("mirubato-rates-").FullName;
        await using var server = await LiveServer.Start(
            $"--Storage:SqlitePath={Path.Combine(directory, "rates.db")}", "--Limits:RequestsPerSecond=1",
            $"--Limits:RequestBurst={burst}");
        await using var socket = await SocketClient.Open(server.Url, "ada");
        await socket.Sync();
        for (var i = 0; i < burst - 2; i++)
        {
            await socket.Mutate("GOAL_UPDATED", $"\"goal\":{{\"id\":\"g{i}\",\"updatedAt\":{i + 1}}}", $"m{i}");
        }

        using var phone = server.Device("ada", "phone");
        var answered = 0;
        while (await phone.FindStatus(HttpMethod.Get, "/api/sync/status") is not HttpStatusCode.TooManyRequests) answered++;

        Assert.InRange(answered, 0, burst / 2);
        Assert.Equal(HttpStatusCode.OK, await phone.FindStatus(HttpMethod.Get, "/api/user/me"));
        Directory.Delete(directory, recursive: true);
    }

    private static byte[] Repeated(byte[] first, byte[] next, int frames) =>
        [.. first, .. Enumerable.Repeat(next, frames - 1).SelectMany(frame => frame)];

    /// <summary>All that the peer is sent, as it comes.</summary>
    private sealed class Received : IDisposable
    {
        private readonly List<byte> bytes = [];
        private readonly SemaphoreSlim more = new(0);

        public Received(TcpClient peer) => End = Read(peer.GetStream());

        public Task End { get; }

        public async Task Until(byte[] part)
        {
            while (!Holds(part)) Assert.True(await more.WaitAsync(TimeSpan.FromSeconds(20)), "It was never sent.");
        }

        public void Dispose() => more.Dispose();

        private bool Holds(byte[] part)
        {
            lock (bytes) return bytes.ToArray().AsSpan().IndexOf(part) >= 0;
        }

        private async Task Read(NetworkStream stream)
        {
            var buffer = new byte[4096];
            try
            {
                while (await stream.ReadAsync(buffer) is > 0 and var read)
                {
                    lock (bytes) bytes.AddRange(buffer.AsSpan(0, read));
                    more.Release();
                }
            }
            catch (IOException)
            {
                // Cut off.
            }
        }
    }
}
