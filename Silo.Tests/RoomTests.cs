using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Silo.Tests;

/// <summary>Rooms on several gateways, told through the cluster alone.</summary>
[Collection(SharesPostgres.Name)]
public sealed class RoomTests(PostgresCluster postgres) : ClusterContract(postgres)
{
    [Fact]
    public async Task Every_gateway_with_a_room_hears_a_commit_whole_and_in_order()
    {
        var (writer, listener, room) = await Listening(await Cluster(silos: 2));

        for (var i = 1; i <= 5; i++) await Insist(writer.Coordinators.For(User), Push(User, "k" + i, "e" + i));
        await room.Until(heard => heard.Count >= 5);

        Assert.Equal(Enumerable.Range(2, 5).Select(seq => (long)seq), room.Heard.SelectMany(a => a.Rows).Select(row => row.Row.Seq));
        Assert.All(room.Heard, a => Assert.Equal(a.After.Next, a.Head));
        Assert.Contains("e3", System.Text.Encoding.UTF8.GetString(room.Heard[2].Rows[0].Row.Data.Span), StringComparison.Ordinal);
        Assert.DoesNotContain(listener.Heard.All, hint => hint is HeadMoved { Head.Seq.Number: > 1 });
    }

    [Fact]
    public async Task A_room_that_has_left_hears_nothing_more()
    {
        var (writer, listener, room) = await Listening(await Cluster(silos: 1));
        var other = new RecordingRoom();
        await Listen(listener, room: other, instead: room);

        await Insist(writer.Coordinators.For(User), Push(User, "k1", "e1"));
        await other.Until(heard => heard.Count >= 1);

        Assert.Empty(room.Heard);
    }

    [Fact]
    public async Task Rooms_survive_the_end_of_the_activation_they_listened_to()
    {
        var store = new InterruptedStore(Store);
        var cluster = await Cluster(silos: 2, store);
        var (writer, listener, room) = await Listening(cluster);
        var compared = listener.Heard.All.Count;

        store.Around = _ => throw InterruptedStore.Cut(outcomeUnknown: true);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => writer.Coordinators.For(User).Write(Push(User, "k1", "e1"), Cancel).AsTask());
        store.Around = null;
        await listener.Heard.Until(heard => heard.All.Count > compared);
        await Insist(writer.Coordinators.For(User), Push(User, "k1", "e1"));

        await room.Until(heard => heard.Any(a => a.Head.Number == 2));
    }

    [Fact]
    public async Task Rooms_survive_the_kill_of_every_silo_they_knew()
    {
        var cluster = await Cluster(silos: 2);
        var (writer, _, room) = await Listening(cluster);

        foreach (var silo in cluster.Silos.ToList())
        {
            await cluster.Add();
            await cluster.Kill(silo);
        }

        // Until the room has renewed itself, a commit is only found by comparing heads; then it is announced again.
        for (var i = 1; !room.Heard.Any(); i++)
        {
            await Insist(writer.Coordinators.For(User), Push(User, "k" + i, "e" + i));
            Assert.True(i < 3_000, "The room was never told again.");
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(i * 10, 100)));
        }
    }

    [Fact]
    public async Task Who_signs_out_or_turns_a_device_away_reaches_the_sockets_of_every_gateway()
    {
        var (writer, listener, _) = await Listening(await Cluster(silos: 2));
        var coordinator = writer.Coordinators.For(User);

        var notBeforeMs = await coordinator.SignOutEverywhere(Cancel);
        Assert.True(await coordinator.Admit(new DeviceId("d1"), allowed: false, Cancel));
        var erased = await coordinator.Erase(Cancel);

        await listener.Heard.Until(heard => heard.All.Contains(new SignedOut(User, notBeforeMs)));
        await listener.Heard.Until(heard => heard.All.Contains(new DeviceRevoked(User, new DeviceId("d1"))));
        await listener.Heard.Until(heard => heard.All.Contains(new HeadMoved(User, erased.Token)));
    }

    /// <summary>Two gateways, and a room on the second that is known to be listened to: its head has been compared.</summary>
    private async Task<(GatewayProcess Writer, GatewayProcess Listener, RecordingRoom Room)> Listening(GrainCluster cluster)
    {
        var (writer, listener) = (await cluster.Gateway(), await cluster.Gateway());
        await Insist(writer.Coordinators.For(User), Push(User, "k0", "e0"));
        var room = new RecordingRoom();
        await Listen(listener, room);
        return (writer, listener, room);
    }

    private async Task Listen(GatewayProcess listener, RecordingRoom room, RecordingRoom? instead = null)
    {
        var before = listener.Heard.All.Count;
        if (instead is not null) listener.Coordinators.For(User).Detach(instead);
        listener.Coordinators.For(User).Attach(room);
        await listener.Heard.Until(heard => heard.All.Count > before);
    }
}
