using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Sockets;

/// <summary>
/// By whatever way a token comes to a socket: no log line at any level, no trace and no metric holds it, or whom it speaks for, afterwards.
/// </summary>
public sealed class SocketSecrecyTests
{
    private const string Upgrade =
        "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        + "dGhlIHNhbXBsZSBub25jZQ==\r\n";

    private readonly string user = $"secret-{Guid.NewGuid():n}";

    [Fact]
    public async Task No_token_or_ticket_that_comes_to_a_socket_is_written_anywhere()
    {
        await using var edge = await Edge.Start(Edge.LogsEverything);
        using var seen = new Observed();
        var good = Edge.Token(user);
        var fresh = Edge.Token(user, expires: DateTimeOffset.UtcNow.AddHours(2));
        var expired = Edge.Token(user, expires: DateTimeOffset.UtcNow.AddHours(-1));
        var foreign = Edge.Token($"other-{user}");
        var forged = Edge.Token(user, secret: "another secret that is long enough too");
        string[] tokens = [good, fresh, expired, foreign, forged];

        var tickets = new List<string> { await Ticket(edge, good), await Ticket(edge, good) };
        foreach (var token in tokens) await Knock(edge, token);
        await ByTicket(edge, tickets);
        await InFrames(edge, good, tokens);

        Assert.True(edge.Logs.Hold("/sync/ws"), "the logs are on");
        Assert.Contains(seen.Lines, line => line.Contains("/sync/ws", StringComparison.Ordinal));
        foreach (var secret in tokens.Select(token => token.Split('.')[^1]).Concat(tickets).Append(user))
        {
            Assert.False(edge.Logs.Hold(secret), edge.Logs.Lines.FirstOrDefault(line => line.Contains(secret, StringComparison.Ordinal)));
            Assert.DoesNotContain(seen.Lines, line => line.Contains(secret, StringComparison.Ordinal));
        }
    }

    private static async Task<string> Ticket(Edge edge, string token)
    {
        using var response = await edge.Client.SendAsync(Edge.Request(HttpMethod.Post, "/api/sync/ticket", token: token));
        return (await response.Json()).GetProperty("ticket").GetString()!;
    }

    /// <summary>At the door: let in, refused, and not understood.</summary>
    private async Task Knock(Edge edge, string token)
    {
        await Try(edge, $"userId={user}&token={token}");
        await Try(edge, $"userId=somebody-else&token={token}");
        await Try(edge, $"userId={user}&token={token}", ("Origin", "https://evil.example"));
        await Try(edge, $"userId={user}&token={token}&deviceId=laptop", ("X-Device-ID", "phone"));
        await Try(edge, "", ("Sec-WebSocket-Protocol", $"mirubato.sync.v1, bearer.{token}"));
        await Try(edge, "", ("Sec-WebSocket-Protocol", $"bearer.{token}"));
        await Try(edge, $"ticket={token}");
        foreach (var line in (string[])
        [
            $"GET /sync/ws?userId={user}&token={token} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: "
            + $"websocket\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            $"GET /sync/ws?userId={user}&token={token} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: "
            + $"websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
            $"GET /sync/ws HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nSec-WebSocket-Protocol: bearer.{token}\u0001\r\n\r\n",
            $"GET /sync/ws HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nSec-WebSocket-Protocol bearer.{token}\r\n\r\n",
            $"GET /sync/ws?token={token}\u0001 HTTP/1.1\r\n{Upgrade}\r\n",
            $"GET /sync/ws?ticket={token} HTTP/3.7\r\n{Upgrade}\r\n",
        ]) await Raw(edge, line);
    }

    /// <summary>Said, and nothing more to say: so the server ends, whatever it makes of it.</summary>
    private static async Task Raw(Edge edge, string request)
    {
        using var socket = new TcpClient();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await socket.ConnectAsync("127.0.0.1", new Uri(edge.Url).Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        socket.Client.Shutdown(SocketShutdown.Send);
        try
        {
            await stream.CopyToAsync(Stream.Null, patience.Token);
        }
        catch (IOException)
        {
            // Reset behind its answer.
        }
    }

    private static async Task ByTicket(Edge edge, List<string> tickets)
    {
        await Try(edge, $"ticket={tickets[0]}");
        await Try(edge, $"ticket={tickets[0]}");
        await Try(edge, $"ticket={tickets[1]}", ("Origin", "http://localhost:3000"));
    }

    /// <summary>Inside: where a token belongs, and where it does not.</summary>
    private async Task InFrames(Edge edge, string good, string[] tokens)
    {
        foreach (var token in tokens)
        {
            await using var client = await SocketClient.Open(new Uri(edge.Url), user, $"userId={user}&token={good}");
            await client.Next("WELCOME");
            foreach (var frame in (string[])
            [
                $$"""{"type":"AUTH","token":"{{token}}"}""", $$"""{"type":"AUTH","token":{"x":"{{token}}"} }""",
                $$"""{"type":"AUTH","token":"{{token}}" """,
                $$"""{"type":"{{token}}"}""", $$"""{"type":"AUTH","token":"a","userId":"{{token}}"}""",
                $$"""{"type":"SYNC_REQUEST","lastSeq":"{{token}}"}""",
                $$"""{"type":"ENTRY_DELETED","entryId":7,"mutationId":"{{token}}","token":"{{token}}"}""", token,
            ]) await client.Send(frame);
            await client.SendBytes([0xFF, .. Encoding.ASCII.GetBytes(token)], WebSocketMessageType.Binary);
            await client.Settle();
            await client.SendBytes([.. Encoding.ASCII.GetBytes(token), .. new byte[1024 * 1024]], WebSocketMessageType.Binary);
            Assert.Equal(1009, await client.Closed());
        }
    }

    private static async Task Try(Edge edge, string query, (string Name, string Value)? header = null)
    {
        using var socket = new ClientWebSocket();
        if (header is { } one) socket.Options.SetRequestHeader(one.Name, one.Value);
        try
        {
            await socket.ConnectAsync(SocketClient.Address(new Uri(edge.Url), query), CancellationToken.None);
            socket.Abort();
        }
        catch (WebSocketException)
        {
            // Refused, or let in with a subprotocol that the client says it never offered.
        }
    }

    /// <summary>Every activity's name and tags, and every tag of every metric, of the whole process.</summary>
    private sealed class Observed : IDisposable
    {
        private readonly ActivityListener activities;
        private readonly MeterListener meters = new();

        public Observed()
        {
            activities = new ActivityListener
            {
                ShouldListenTo = _ => true,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = Note,
            };
            ActivitySource.AddActivityListener(activities);
            meters.InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument);
            meters.SetMeasurementEventCallback<long>((_, _, tags, _) => Note(tags));
            meters.SetMeasurementEventCallback<int>((_, _, tags, _) => Note(tags));
            meters.SetMeasurementEventCallback<double>((_, _, tags, _) => Note(tags));
            meters.Start();
        }

        public ConcurrentQueue<string> Lines { get; } = new();

        public void Dispose()
        {
            activities.Dispose();
            meters.Dispose();
        }

        private void Note(Activity activity) =>
            Lines.Enqueue(
                $"{activity.DisplayName} {string.Join(' ', activity.TagObjects)} {string.Join(' ', activity.Baggage)} "
                + $"{string.Join(' ', activity.Events.SelectMany(one => one.Tags))} {activity.StatusDescription}");

        private void Note(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var tag in tags) Lines.Enqueue($"{tag.Key}={tag.Value}");
        }
    }
}
