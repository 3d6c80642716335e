namespace Mirubato.Tests.Sockets;

/// <summary>What another call decides reaches the sockets that are open, by the engine's own hints.</summary>
public abstract partial class SocketContract
{
    [Fact]
    public async Task A_message_may_come_in_pieces_and_with_nothing_in_them()
    {
        var socket = await Open();
        await socket.SendPieces("", "{\"type\":", "", "\"PING\"}");
        await socket.Next("PONG");
        await socket.SendPieces("{\"type\":\"PING\"", "}", "");
        await socket.Next("PONG");
        await socket.SendPieces("");
        Assert.Equal("INVALID_JSON", (await socket.Next("ERROR")).GetProperty("code").GetString());
        await socket.Send("""{"type":"PING"}""");
        await socket.Next("PONG");
    }

    [Fact]
    public async Task Signing_out_everywhere_closes_every_socket_of_the_user()
    {
        var old = Token;
        await Http().PushEntry(Entry("e", "x"));
        var (one, two) = (await Live(), await Live());
        await Http().Ask(HttpMethod.Post, "/api/sync/sign-out-everywhere");

        Assert.Equal(4403, await one.Closed());
        Assert.Equal(4403, await two.Closed());

        // The upgrade asks no store, so an old token opens a socket; it is refused before anything is sent.
        var late = await Open(query: $"userId={user}&token={old}");
        await late.Ask();
        Assert.Equal(4403, await late.Closed());
        Assert.Equal("WELCOME", SocketClient.Type(Assert.Single(late.Seen)));
    }

    [Fact]
    public async Task Revoking_a_device_closes_its_sockets_and_no_others()
    {
        await Http("phone").PushEntry(Entry("e", "x"));
        var phone = await Open(query: $"userId={user}&token={Token}&deviceId=phone");
        // It has received everything: only the announcement closes it now, and no read of its own.
        await phone.Sync();
        var laptop = await Live();
        using (var revoked = await Http().Send(HttpMethod.Delete, "/api/sync/devices/phone")) Assert.True(revoked.IsSuccessStatusCode);

        Assert.Equal(4403, await phone.Closed());
        await Http().PushEntry(Entry("e2", "y"));
        Assert.Equal("e2", (await laptop.Next("ENTRY_CREATED")).GetProperty("entry").GetProperty("id").GetString());
    }

    [Fact]
    public async Task Erasing_tells_an_open_socket_to_start_over()
    {
        await Http().PushEntry(Entry("e", "x"));
        var socket = await Live();
        using var erased = await Http().Send(HttpMethod.Delete, "/api/sync/data", null, null, ("Confirm", "erase"));
        Assert.True(erased.IsSuccessStatusCode);

        var told = await socket.Until(f => SocketClient.Has(f, "reset"));
        Assert.True(told.GetProperty("reset").GetBoolean());
    }
}
