using Mirubato.Grains.Interfaces;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    [Fact]
    public async Task The_state_of_a_user_without_a_row_is_that_of_a_new_one()
    {
        var state = await Store.State(user, Now, Cancel);

        Assert.Equal(await Store.HistoryState(user, null, Now + 1, Cancel), state.HistoryState);
        Assert.Equal(Now, state.HistoryState.CreatedMs);
        Assert.Empty(state.Revoked);
        Assert.Equal(0, state.Devices);
    }

    [Fact]
    public async Task The_state_names_every_revoked_device_and_counts_the_others()
    {
        await ThreeDevicesOfWhichTwoAreRevoked(user);

        var state = await Store.State(user, Now, Cancel);

        Assert.Equal(await HistoryState(), state.HistoryState);
        Assert.Equal([new DeviceId("a-\"gerät\""), new DeviceId("b")], state.Revoked);
        Assert.Equal(1, state.Devices);
    }

    [Fact]
    public async Task The_states_of_many_users_are_what_each_state_is()
    {
        var (fresh, absent) = (User(), User());
        await ThreeDevicesOfWhichTwoAreRevoked(user);
        await Store.HistoryState(fresh, null, Now, Cancel);

        var states = await Store.States([user, fresh, absent, user], Cancel);

        Assert.Equal(2, states.Count);
        foreach (var (of, state) in states) AssertSame(await Store.State(of, Now, Cancel), state);
        Assert.Empty(await Store.States([absent], Cancel));
        Assert.Empty(await Store.States([], Cancel));
        Assert.Equal(0L, Convert.ToInt64(await Sql($"SELECT count(*) FROM sync_metadata WHERE user_id = '{absent}'")));
    }

    [Fact]
    public async Task A_state_is_one_snapshot()
    {
        const int turns = 100;
        await Store.SeeDevice(user, Phone, 0, 9, Now, Cancel);
        var turning = Task.Run(async () =>
        {
            for (var i = 0; i < turns; i++) await Store.RevokeDevice(user, Phone, i % 2 == 0 ? Now : null, Cancel);
        });
        do
        {
            AssertWhole(await Store.State(user, Now, Cancel));
            AssertWhole((await Store.States([user], Cancel))[user]);
        }
        while (!turning.IsCompleted);
        await turning;

        Assert.Equal(turns, (await HistoryState()).Rights);

        // The device is revoked by every odd raise and allowed by every even one.
        static void AssertWhole(UserState state)
        {
            Assert.Equal(state.HistoryState.Rights % 2, state.Revoked.Count);
            Assert.Equal(1, state.Devices + state.Revoked.Count);
        }
    }

    private static void AssertSame(UserState expected, UserState actual)
    {
        Assert.Equal(expected with { Revoked = actual.Revoked }, actual);
        Assert.Equal(expected.Revoked, actual.Revoked);
    }

    private async Task ThreeDevicesOfWhichTwoAreRevoked(UserId of)
    {
        foreach (var device in (DeviceId[])[new("b"), new("c"), new("a-\"gerät\"")]) await Store.SeeDevice(of, device, 0, 9, Now, Cancel);
        await Store.RevokeDevice(of, new DeviceId("b"), Now, Cancel);
        await Store.RevokeDevice(of, new DeviceId("a-\"gerät\""), Now, Cancel);
    }
}
