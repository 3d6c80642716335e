using System.Net;
using System.Net.WebSockets;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Sockets;

public abstract partial class SocketContract
{
    private protected string Token => Edge.Token(user);

    [Fact]
    public async Task A_welcome_says_who_is_connected_and_to_what()
    {
        var client = await Open();
        var welcome = client.Seen[0];
        Assert.NotEmpty(Text(welcome, "connectionId"));
        Assert.NotEmpty(Text(welcome, "message"));
        Assert.Equal(1, welcome.GetProperty("schemaVersion").GetInt32());
        Assert.False(SocketClient.Has(welcome, "seq") || SocketClient.Has(welcome, "lastSeq"));
    }

    [Fact]
    public async Task Upgrades_are_refused_in_the_words_existing_clients_know()
    {
        var expired = Edge.Token(user, expires: DateTimeOffset.UtcNow.AddHours(-1));
        Assert.Equal((400, """{"error":"Missing userId or token"}"""), await Refused(""));
        Assert.Equal((400, """{"error":"Missing userId or token"}"""), await Refused($"userId={user}"));
        Assert.Equal((401, """{"error":"Invalid or expired token"}"""), await Refused($"userId={user}&token={expired}"));
        Assert.Equal((401, """{"error":"Invalid or expired token"}"""), await Refused($"userId={user}&token=nonsense"));
        Assert.Equal((403, """{"error":"User ID mismatch"}"""), await Refused($"userId=another&token={Token}"));
        Assert.Equal(
            (403, """{"error":"Origin not allowed"}"""),
            await Refused($"userId={user}&token={Token}", ("Origin", "https://localhost.evil.example")));
        Assert.Equal(
            (400, """{"error":"Offer mirubato.sync.v1 beside the token"}"""),
            await Refused("", ("Sec-WebSocket-Protocol", $"bearer.{Token}")));
        Assert.Equal((401, """{"error":"Invalid or expired token"}"""), await Refused("ticket=never-issued"));
        using var client = new HttpClient();
        Assert.Equal(
            HttpStatusCode.UpgradeRequired, (await client.GetAsync(new Uri(Server().Url, "/sync/ws?userId=a&token=b"))).StatusCode);
    }

    [Fact]
    public async Task A_token_among_the_subprotocols_is_never_echoed()
    {
        var client = await SocketClient.Open(Server().Url, user, "", options =>
        {
            options.AddSubProtocol("mirubato.sync.v1");
            options.AddSubProtocol($"bearer.{Token}");
            options.SetRequestHeader("Origin", "http://localhost:3000");
        });
        clients.Add(client);
        await client.Next("WELCOME");
        Assert.Equal("mirubato.sync.v1", client.Subprotocol);
    }

    [Fact]
    public async Task A_ticket_opens_one_socket_and_only_for_its_own_origin()
    {
        var http = Http();
        var ticket = Text(await http.Ask(HttpMethod.Post, "/api/sync/ticket"), "ticket");
        var client = await Open(query: $"ticket={ticket}");
        await client.Sync();
        Assert.Equal(401, (await Refused($"ticket={ticket}")).Status);

        using var response = await http.Send(HttpMethod.Post, "/api/sync/ticket", headers: ("Origin", "http://localhost:3000"));
        var bound = Text(await response.Json(), "ticket");
        Assert.Equal(401, (await Refused($"ticket={bound}", ("Origin", "http://localhost:4000"))).Status);
        Assert.Equal(401, (await Refused($"ticket={bound}", ("Origin", "http://localhost:3000"))).Status);
    }

    [Fact]
    public async Task An_unreadable_frame_is_answered_with_an_error_and_the_socket_stays_open()
    {
        var client = await Live();
        foreach (var (sent, code, path) in new[]
        {
            ("{", "INVALID_JSON", "$"), ("nonsense", "INVALID_JSON", "$"), ("[1]", "INVALID_SHAPE", "$"), ("{}", "INVALID_SHAPE", "$.type"),
            ("""{"type":"NO_SUCH"}""", "UNKNOWN_TYPE", "$.type"), ("""{"type":"ENTRY_CREATED"}""", "INVALID_SHAPE", "$.entry"),
            ("""{"type":"ENTRY_CREATED","entry":[]}""", "INVALID_SHAPE", "$.entry"), (
                """{"type":"ENTRY_DELETED","entryId":7}""", "INVALID_SHAPE", "$.entryId"),
            (
                """{"type":"BULK_SYNC","entries":{}}""", "INVALID_SHAPE",
                "$.entries"), ("""{"type":"PING","type":"PING"}""", "INVALID_SHAPE", "$.type"),
            ("""{"type":"ENTITY_UPDATED","entityType":"Bad Type","entity":{}}""", "INVALID_SHAPE", "$.entityType"),
            ("""{"type":"ENTRY_CREATED","userId":"someone-else","entry":{"id":"x"}}""", "FORBIDDEN", "$.userId"),
        })
        {
            await client.Send(sent);
            var error = await client.Next("ERROR");
            Assert.Equal((code, path), (Text(error, "code"), Text(error, "path")));
            Assert.Equal(
                code switch
                {
                    "INVALID_JSON" => "Invalid JSON format",
                    "FORBIDDEN" => Text(error, "error"),
                    _ => "Invalid sync event format"
                }, Text(error, "error"));
        }

        Assert.Equal(0, (await Http().Get("/api/sync/status")).GetProperty("entityCount").GetInt32());
        await client.SendBytes("{\"type\":\"PING\"}"u8.ToArray(), WebSocketMessageType.Binary);
        await client.Next("PONG");
    }

    [Fact]
    public async Task A_frame_that_is_not_UTF_8_inside_is_no_JSON_and_reaches_nobody()
    {
        var (a, b) = (await Live(), await Live());
        await a.SendBytes(
            [.. "{\"type\":\"ENTRY_CREATED\",\"entry\":{\"id\":\"e\",\"notes\":\"ab"u8, 0xC3, .. "\"}}"u8], WebSocketMessageType.Binary);
        Assert.Equal("INVALID_JSON", Text(await a.Next("ERROR"), "code"));
        await a.Mutate("ENTRY_CREATED", "\"entry\":{\"id\":\"next\"}");
        Assert.Equal((1L, "next"), (Seq(await b.Next("ENTRY_CREATED")), Text(b.Seen[^1].GetProperty("entry"), "id")));
    }

    [Fact]
    public async Task Twenty_frames_of_nonsense_close_the_socket()
    {
        var client = await Live();
        for (var i = 0; i < 19; i++) await client.Send("{");
        for (var i = 0; i < 19; i++) await client.Next("ERROR");
        await client.Send("{");
        Assert.Equal(1008, await client.Closed());
    }

    [Fact]
    public async Task Too_many_frames_close_the_socket()
    {
        var client = await Live();
        try
        {
            for (var i = 0; i < 4_000; i++) await client.Send("{\"type\":\"PING\"}");
        }
        catch (WebSocketException)
        {
            // It was closed while this was still sending.
        }

        Assert.Equal(1008, await client.Closed());
    }

    [Fact]
    public async Task A_frame_of_a_mebibyte_is_read_and_one_byte_more_closes_the_socket()
    {
        var client = await Live();
        await client.Send("{\"type\":\"PING\"}".PadRight(1024 * 1024));
        await client.Next("PONG");
        await client.Send("{\"type\":\"PING\"}".PadRight((1024 * 1024) + 1));
        Assert.Equal(1009, await client.Closed());
    }

    [Fact]
    public async Task A_token_is_renewed_in_band_by_one_of_the_same_user_only()
    {
        var client = await Live();
        await client.Send($$"""{"type":"AUTH","token":"{{Edge.Token("someone-else")}}"}""");
        Assert.Equal("FORBIDDEN", Text(await client.Next("ERROR"), "code"));
        await client.Send("""{"type":"AUTH","token":"nonsense"}""");
        Assert.Equal("INVALID_TOKEN", Text(await client.Next("ERROR"), "code"));
        await client.Send($$"""{"type":"AUTH","token":"{{Token}}"}""");
        Assert.NotEmpty(Text(await client.Next("AUTHENTICATED"), "expiresAt"));
    }

    [Fact]
    public async Task An_expired_token_closes_and_a_renewed_one_does_not()
    {
        var soon = DateTimeOffset.UtcNow.AddSeconds(3);
        var query = $"userId={user}&token={Edge.Token(user, expires: soon)}";
        var (expiring, renewed) = (await Open(query: query), await Open(query: query));
        await renewed.Send($$"""{"type":"AUTH","token":"{{Token}}"}""");
        await renewed.Next("AUTHENTICATED");
        Assert.Equal(4401, await expiring.Closed());
        await renewed.Settle();
    }

    [Fact]
    public async Task A_client_that_closes_is_answered_with_its_own_code()
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(SocketClient.Address(Server().Url, $"userId={user}&token={Token}"), CancellationToken.None);
        await socket.CloseAsync((WebSocketCloseStatus)4000, "bye", CancellationToken.None);
        Assert.Equal(4000, (int)socket.CloseStatus!);
    }

    private protected async Task<(int Status, string Body)> Refused(
        string query, (string Name, string Value)? header = null, bool upgradeOnly = false)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Server().Url, $"/sync/ws?{query}"));
        request.Headers.Connection.Add("Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        if (header is { } one) request.Headers.TryAddWithoutValidation(one.Name, one.Value);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return ((int)response.StatusCode, upgradeOnly ? "" : await response.Content.ReadAsStringAsync());
    }
}
