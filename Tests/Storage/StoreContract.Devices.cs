using Mirubato.Grains.Interfaces;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    private static readonly DeviceId Phone = new("phone");

    [Fact]
    public async Task What_is_known_of_a_device_only_grows()
    {
        Assert.True(await Store.SeeDevice(user, Phone, 5, 9, Now, Cancel));
        Assert.True(await Store.SeeDevice(user, Phone, 3, 9, Now + 7, Cancel));
        Assert.True(await Store.SeeDevice(user, Phone, 8, 9, Now - 7, Cancel));

        Assert.Equal(new DeviceReport(Phone, null, Now, Now + 7, 8, null, Live: false), Assert.Single(await Store.Devices(user, Cancel)));
    }

    [Fact]
    public async Task One_device_too_many_is_refused_and_the_known_ones_stay()
    {
        var seen = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(async i => await Store.SeeDevice(user, new DeviceId($"d{i}"), 0, 3, Now, Cancel)));

        Assert.Equal(3, seen.Count(yes => yes));
        var known = await Store.Devices(user, Cancel);
        Assert.Equal(3, known.Count);
        Assert.True(await Store.SeeDevice(user, known[0].Device, 1, 3, Now, Cancel));
        Assert.False(await Store.SeeDevice(user, Phone, 1, 3, Now, Cancel));
    }

    [Fact]
    public async Task A_revoked_device_is_seen_as_such_until_it_is_allowed_again()
    {
        Assert.False(await Store.RevokeDevice(user, Phone, Now, Cancel));
        await Store.SeeDevice(user, Phone, 0, 9, Now, Cancel);

        Assert.True(await Store.RevokeDevice(user, Phone, Now, Cancel));
        Assert.True((await Store.HistoryState(user, Phone, Now, Cancel)).DeviceRevoked);
        Assert.True((await Store.Read(user, Phone, new ReadQuery(), Now, Cancel)).HistoryState.DeviceRevoked);
        Assert.False((await Store.HistoryState(user, null, Now, Cancel)).DeviceRevoked);
        Assert.Equal(Now, Assert.Single(await Store.Devices(user, Cancel)).RevokedMs);
        Assert.Equal(0, (await Store.State(user, Now, Cancel)).Devices);

        Assert.True(await Store.RevokeDevice(user, Phone, null, Cancel));
        Assert.False((await Store.HistoryState(user, Phone, Now, Cancel)).DeviceRevoked);
        Assert.Equal(1, (await Store.State(user, Now, Cancel)).Devices);
    }

    [Fact]
    public async Task Signing_out_only_raises_the_bound()
    {
        await Store.SignOut(user, Now, Cancel);
        await Store.SignOut(user, Now - 5, Cancel);

        Assert.Equal(Now, (await HistoryState()).NotBeforeMs);
    }
}
