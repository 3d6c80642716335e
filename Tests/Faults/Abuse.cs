using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Faults;

/// <summary>
/// The worst that one valid token was found to do, one act after the other. What the server answers does not matter here.
/// </summary>
internal sealed class Abuse(Uri server) : IDisposable
{
    public const string User = "mallory";

    private const int AtOnce = 8;
    private const int Entries = 20_000;
    private const string Json = "application/json";
    // A flood of requests that are refused is what anybody can send, with a token or without one.
    private static readonly TimeSpan PauseWhenRefused = TimeSpan.FromMilliseconds(50);

    private static readonly byte[] Winners = Packed(Push("entries", Enumerable.Repeat("""{"id":"big","updatedAt":1}""", 400)));
    private static readonly byte[] Refusals = Packed(Push("goals", Enumerable.Repeat("0", 50_000)));
    private static readonly byte[] Deep = Packed($"{{\"changes\":{{\"other\":[{string.Join(',', Enumerable.Repeat("[]", 9_000_000))}]}}}}");
    private static readonly byte[] Unfinished = BodyTests.Packed(new byte[9 << 20], "gzip")[..^64];

    private static readonly byte[][] Deletions = [.. Enumerable.Range(0, 40).Select(_ =>
        Packed(Push("goals", Enumerable.Range(0, 5_000).Select(_ => $"{{\"id\":\"{Guid.NewGuid():n}\",\"deletedAt\":1700000000000}}"))))];

    private static readonly byte[] Types = Packed(
        $"{{\"entities\":[{string.Join(',', Enumerable.Range(0, 1_000).Select(i => $"{{\"type\":\"t{i}\",\"id\":\"x\",\"data\":{{\"updatedAt\":1}}}}"))}]}}");

    private readonly HttpClient client = new(
        new SocketsHttpHandler { UseCookies = false, MaxConnectionsPerServer = 256 })
    { BaseAddress = server };
    private readonly string token = Edge.Token(User);

    public IReadOnlyList<(string Name, Func<CancellationToken, Task> Act)> Acts =>
    [
        ("winners", cancel => Post("/api/sync/push", Winners, cancel)),
        ("receipts", cancel => Post("/api/sync/push", Refusals, cancel, key: Guid.NewGuid().ToString())),
        ("bodies that do not end", cancel => WithoutReading(40, raw => Drip(raw, cancel), cancel)),
        ("parsing", cancel => Post("/api/sync/push", Deep, cancel, key: Guid.NewGuid().ToString())),
        ("answers that are not read", cancel => WithoutReading(10, raw => Ask(raw, "/api/sync/pull"), cancel)),
        ("tombstones and types", TombstonesAndTypes),
        ("pings", Pings),
        ("renames", cancel => Send(HttpMethod.Put, "/api/pieces/update-name", Encoding.UTF8.GetBytes(Renaming()), cancel)),
    ];

    /// <summary>What the acts need to find: a document of 250 KB, 20 MB of others, and a logbook of 20,000 entries.</summary>
    public async Task Prepare()
    {
        await Store("entries", [$$"""{"id":"big","notes":"{{new string('b', 250_000)}}","updatedAt":1700000000000}"""]);
        foreach (var part in Enumerable.Range(0, 100).Chunk(50))
            await Store(
                "goals", part.Select(i => $$"""{"id":"large{{i}}","notes":"{{new string('l', 200_000)}}","updatedAt":1700000000000}"""));
        foreach (var part in Enumerable.Range(0, Entries).Chunk(5_000))
            await Store(
                "entries", part.Select(i => $$"""{"id":"e{{i}}","scoreTitle":"Etude","notes":"{{i}}","updatedAt":1700000000000}"""));
    }

    /// <summary>Several times at once, again and again.</summary>
    public static Task Repeat(Func<CancellationToken, Task> act, TimeSpan duration) =>
        Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(() => RepeatOne(act, duration))));

    public void Dispose() => client.Dispose();

    private static async Task RepeatOne(Func<CancellationToken, Task> act, TimeSpan duration)
    {
        using var end = new CancellationTokenSource(duration);
        while (!end.IsCancellationRequested)
        {
            try
            {
                await act(end.Token);
            }
            catch (Exception refused) when (
                refused is HttpRequestException or IOException or SocketException or WebSocketException or OperationCanceledException)
            {
                await Task.Delay(PauseWhenRefused);
            }
        }
    }

    private async Task Store(string member, IEnumerable<string> items) =>
        Assert.Equal(200, (int)await Send(HttpMethod.Post, "/api/sync/push", Packed(Push(member, items)), CancellationToken.None, "gzip"));

    private Task<HttpStatusCode> Post(string path, byte[] packed, CancellationToken cancel, string? key = null) =>
        Send(HttpMethod.Post, path, packed, cancel, "gzip", key);

    private async Task<HttpStatusCode> Send(
        HttpMethod method, string path, byte[] body, CancellationToken cancel, string? encoding = null, string? key = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new ByteArrayContent(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (key is not null) request.Headers.Add("X-Idempotency-Key", key);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(Json);
        if (encoding is not null) request.Content.Headers.ContentEncoding.Add(encoding);
        using var answer = await client.SendAsync(request, cancel);
        if (!answer.IsSuccessStatusCode) await Task.Delay(PauseWhenRefused, cancel);
        return answer.StatusCode;
    }

    private async Task TombstonesAndTypes(CancellationToken cancel)
    {
        await Post("/api/sync/push", Deletions[Random.Shared.Next(Deletions.Length)], cancel);
        await Post("/api/sync/batch", Types, cancel);
    }

    /// <summary>Connections that ask and then hold still until they are cut, or the act is over.</summary>
    private async Task WithoutReading(int number, Func<RawConnection, Task> ask, CancellationToken cancel)
    {
        var connections = new List<RawConnection>();
        try
        {
            for (var i = 0; i < number; i++)
            {
                connections.Add(await RawConnection.Open(server));
                await ask(connections[i]);
            }

            while (!connections.Exists(connection => connection.IsReset)) await Task.Delay(PauseWhenRefused, cancel);
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }

    private static Task Ask(RawConnection raw, string path) =>
        raw.Send($"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Edge.Token(User)}\r\n\r\n");

    private static async Task Drip(RawConnection raw, CancellationToken cancel)
    {
        await raw.Post("/api/sync/push", $"Content-Encoding: gzip\r\nContent-Length: {Unfinished.Length + 64}", User);
        cancel.ThrowIfCancellationRequested();
        await raw.Send(Unfinished);
    }

    private async Task Pings(CancellationToken cancel)
    {
        using var raw = await RawConnection.Open(server);
        await raw.Send(
            $"GET /sync/ws?userId={User}&token={token} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "
            + $"websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        var pings = Enumerable.Repeat((byte[])[0x89, 0x80, 0, 0, 0, 0], 10_000).SelectMany(ping => ping).ToArray();
        while (!cancel.IsCancellationRequested && !raw.IsReset) await raw.Send(pings);
    }

    private static string Renaming()
    {
        var (from, to) = Random.Shared.Next(2) == 0 ? ("Etude", "Study") : ("Study", "Etude");
        return $"{{\"oldPiece\":{{\"title\":\"{from}\"}},\"newPiece\":{{\"title\":\"{to}\"}}}}";
    }

    private static string Push(string member, IEnumerable<string> items) =>
        string.Create(CultureInfo.InvariantCulture, $"{{\"changes\":{{\"{member}\":[{string.Join(',', items)}]}}}}");

    private static byte[] Packed(string body) => BodyTests.Packed(Encoding.UTF8.GetBytes(body), "gzip");
}
