using Microsoft.Extensions.DependencyInjection;
using Mirubato.Gateway.Socket;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>The contract over one silo, and what is only so where there is one.</summary>
public abstract class OneSiloContract : SocketContract
{
    private readonly StoreServer store;

    /// <summary>However slow the machine is, changes come as announced, and not in a window that was read from the store.</summary>
    protected OneSiloContract(StoreServer store)
    {
        this.store = store;
        store.Server.Services.GetRequiredService<UserSocketsRegistry>().AnnouncedWithinMs = 60_000;
    }

    private protected override LiveServer Server() => store.Server;

    protected override bool IsOneSilo => true;

    [Fact]
    public async Task The_eleventh_connection_is_refused_and_a_closed_one_makes_room()
    {
        var ten = new List<SocketClient>();
        for (var i = 0; i < 10; i++) ten.Add(await Open());
        Assert.Equal(429, (await Refused($"userId={user}&token={Token}")).Status);
        await Open("somebody-else");
        await ten[3].Drop();
        await Eventually.Holds(async () => (await Refused($"userId={user}&token={Token}", upgradeOnly: true)).Status == 101);
    }

    [Fact]
    public async Task What_is_new_is_created_and_what_follows_is_updated_whatever_their_versions()
    {
        // Its second version is also its second revision, as a first version would be.
        await Http().PushEntry(Entry("e", "first", 9));
        await Http().Push("\"repertoire\":[{\"scoreId\":\"a-b\"}]");
        var (a, b) = (await Live(user), await Live(user));
        await a.Mutate("ENTRY_UPDATED", $"\"entry\":{Entry("f", "new", 5)}");
        await a.Mutate("ENTRY_CREATED", $"\"entry\":{Entry("f", "second", 4)}");
        await a.Mutate("PIECE_REMOVED", "\"scoreId\":\"a-b\"");
        await a.Mutate("PIECE_UPDATED", $"\"piece\":{{\"scoreId\":\"a-b\",\"updatedAt\":\"{Iso(-1)}\"}}");
        await b.Until(_ => b.Cursor == 6);
        Assert.Equal(
            ["ENTRY_CREATED", "ENTRY_UPDATED", "PIECE_REMOVED", "PIECE_ADDED"],
            b.Seen.Where(f => SocketClient.Has(f, "after") && SocketClient.Has(f, "seq")).Select(SocketClient.Type));

        var alone = $"alone-{user}";
        await Http(of: alone).PushEntry(Entry("e", "first", 9));
        var late = await Live(alone);
        await Http(of: alone).PushEntry(Entry("e", "second"));
        Assert.Equal((2L, "ENTRY_UPDATED"), (Seq(await late.Until(f => SocketClient.Has(f, "entry"))), SocketClient.Type(late.Seen[^1])));
    }

    [Fact]
    public async Task A_stopping_server_asks_its_sockets_to_come_again()
    {
        await using var server = await LiveServer.Start(await store.Storage("stopped"));
        var sockets = new List<SocketClient>();
        for (var i = 0; i < 5; i++) sockets.Add(await SocketClient.Open(server.Url, user));
        foreach (var socket in sockets) await socket.Sync();
        var stopped = server.Stop();
        foreach (var socket in sockets) Assert.Equal(1012, await socket.Closed());
        await stopped;
        foreach (var socket in sockets) await socket.DisposeAsync();
    }
}
