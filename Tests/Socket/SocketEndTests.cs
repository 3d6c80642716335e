using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mirubato.Gateway.Auth;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>How sockets end, and what is kept of them while they do.</summary>
public sealed class SocketEndTests
{
    private const string Frame = """{"type":"GOAL_UPDATED","goal":{"id":"g","title":"t","updatedAt":"2026-01-01T00:00:00Z"}}""";

    [Fact]
    public async Task A_socket_closed_while_its_change_is_under_way_gets_the_reason()
    {
        await using var stage = await ScriptedStage.Start();
        for (var i = 0; i < 10; i++)
        {
            var socket = await stage.Live();
            var asked = new TaskCompletionSource();
            stage.Engine.Next(_ =>
            {
                asked.SetResult();
                return new TaskCompletionSource<WriteAnswer>().Task;
            });
            await socket.Send(Frame);
            await asked.Task;
            stage.Tell(news => news with { NotBeforeMs = long.MaxValue });
            Assert.Equal(4403, await socket.Closed());
        }
    }

    [Fact]
    public async Task A_peer_that_closes_and_stops_reading_is_cut_off_without_an_error()
    {
        var (clock, logs) = (new FakeClock(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()), new CapturedLogs());
        await using var stage = await ScriptedStage.Start(builder =>
        {
            builder.Logging.AddProvider(logs);
            builder.Services.AddKeyedSingleton<TimeProvider>(ServerClock.Key, clock);
        });
        var other = await stage.Live();
        for (var i = 0; i < 100; i++) stage.Engine.Put($"g{i}", new string('x', 200_000));
        using var peer = await SocketPeerTests.Upgraded(stage.Url);
        await peer.GetStream().WriteAsync(Masked(0x1, """{"type":"SYNC_REQUEST"}"""));
        await Eventually.Holds(() => peer.Available > 0);
        await Still(other, () => peer.Available);
        await peer.GetStream().WriteAsync(Masked(0x8, ""));

        while (stage.Registry.Sessions().Count > 1)
        {
            if (stage.Registry.Sessions().Count(session => session.IsOpen) == 1) clock.Advance(TimeSpan.FromSeconds(1));
            await other.Settle();
        }

        Assert.DoesNotContain(logs.Lines, line => line.Contains("Unhandled exception", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_server_reads_no_more_changes_from_a_socket_that_does_not_read_its_winners()
    {
        const int changes = 400;
        await using var stage = await ScriptedStage.Start();
        var (socket, other) = (await stage.Live(), await stage.Live());
        var (asked, winner) = (0, stage.Engine.Put("g", new string('x', 200_000)));
        for (var i = 0; i < changes; i++)
        {
            stage.Engine.Next(request =>
            {
                asked++;
                return Task.FromResult(stage.Engine.Answer(request, ItemStatus.Conflict, winner));
            });
        }

        using (await socket.Stall())
        {
            for (var i = 0; i < changes; i++) await socket.Send(Frame);
            await Still(other, () => asked);
            Assert.InRange(asked, 1, changes / 4);
        }

        for (var i = 0; i < changes; i++)
        {
            await socket.Until(frame => SocketClient.Has(frame, "status") && frame.GetProperty("status").GetString() == "conflict");
        }
    }

    [Fact]
    public async Task A_socket_admitted_while_the_server_is_stopping_is_closed_too()
    {
        await using var stage = await ScriptedStage.Start();
        var (asked, draining) = (new TaskCompletionSource(), new TaskCompletionSource());
        stage.Engine.Redeeming = async () =>
        {
            asked.SetResult();
            await draining.Task;
        };
        var token = new TokenFacts(new UserId(ScriptedStage.User), 0, long.MaxValue);
        var (ticket, _) = await stage.Tickets.Issue(token, null, CancellationToken.None);
        var opening = SocketClient.Open(stage.Url, ScriptedStage.User, $"ticket={ticket}");
        await asked.Task;
        await stage.Registry.Drain(CancellationToken.None);
        draining.SetResult();
        await using var socket = await opening;
        Assert.Equal(1012, await socket.Closed());
    }

    /// <summary>Until nothing has come in over so many round trips of another socket.</summary>
    private static async Task Still(SocketClient other, Func<int> count)
    {
        for (var (before, quiet) = (count(), 0); quiet < 200; quiet++)
        {
            await other.Settle();
            if (count() != before) (before, quiet) = (count(), 0);
        }
    }

    /// <summary>A client's frame, masked with zeros.</summary>
    private static byte[] Masked(int opcode, string text)
    {
        var payload = Encoding.UTF8.GetBytes(text);
        return [(byte)(0x80 | opcode), (byte)(0x80 | payload.Length), 0, 0, 0, 0, .. payload];
    }
}
