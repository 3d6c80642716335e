using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Tests.Engine;

/// <summary>What memory may decide: only that a caller is welcome, and only for as long as the store has confirmed it.</summary>
public abstract partial class PlainEngineContract
{
    private static readonly TimeSpan Confirmed = TimeSpan.FromMilliseconds(Limits.ConfirmedMs);
    private static readonly TimeSpan OneMs = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task Status_and_standing_ask_the_store_nothing_while_it_has_confirmed_them()
    {
        var (node, store) = await Warm();
        Clock.Advance(Confirmed);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(1, (await node.HistoryState(Caller(), Cancel)).Last.Number);
            Assert.Equal(1, (await node.Status(Caller(), Cancel)).LiveEntities["goal"]);
        }

        Assert.Equal(0, store.Total);
        Clock.Advance(OneMs);
        await node.HistoryState(Caller(), Cancel);
        await node.Status(Caller(), Cancel);
        Assert.Equal((1, 1), (store.Total, store.Calls(nameof(IUserStore.State))));
    }

    [Fact]
    public async Task Head_and_status_need_no_call_while_the_store_has_confirmed_them_and_nothing_of_them_has_changed()
    {
        var (node, _) = await Warm();
        Assert.Equal((1, 1), await WithoutCall(node, Caller()));
        await node.Write(Push(null, Goal("h")), Cancel);
        Assert.Equal((2, null), await WithoutCall(node, Caller()));
        await node.Status(Caller(), Cancel);
        Assert.Equal((2, 2), await WithoutCall(node, Caller()));
        Clock.Advance(Confirmed + OneMs);
        Assert.Equal((null, null), await WithoutCall(node, Caller()));
    }

    [Fact]
    public async Task The_status_needs_a_call_once_a_connection_has_come_or_gone()
    {
        var (node, _) = await Warm();
        var gateway = new RecordingGateway();
        for (var connections = 1; connections >= 0; connections--)
        {
            await node.Connections.Report(
                new Roster("p", null, 2 - connections, gateway, connections == 0 ? [] : [new LiveConnection("c1", null, Clock.NowMs)]));
            Assert.Null(await node.Reader.ConfirmedStatus(Caller(), Cancel));
            Assert.Equal(connections, (await node.Status(Caller(), Cancel)).Connections);
            Assert.Equal(connections, (await node.Reader.ConfirmedStatus(Caller(), Cancel))!.Connections);
        }
    }

    [Fact]
    public async Task Only_a_call_can_refuse_a_caller()
    {
        var (node, _) = await Warm();
        await node.Revoke(new DeviceId("d2"), revoked: true, Cancel);
        await node.Revoke(new DeviceId("d1"), revoked: true, Cancel);
        await node.Status(Caller("d3"), Cancel);

        Assert.Equal((null, null), await WithoutCall(node, Caller()));
        Assert.Equal((1, 1), await WithoutCall(node, Caller("d3")));
        var signedOut = await node.SignOutEverywhere(Cancel);
        await node.Status(Caller("d3", issuedAtMs: signedOut), Cancel);
        Assert.Equal((null, null), await WithoutCall(node, Caller("d3")));
        Assert.Equal((1, 1), await WithoutCall(node, Caller("d3", issuedAtMs: signedOut)));
    }

    [Fact]
    public async Task A_replay_needs_no_call_and_no_query_while_the_store_has_confirmed_its_caller()
    {
        var (node, store) = await Warm();
        var write = Push("k", Goal("h"));
        Assert.Null(await node.Replayed(write, Cancel));
        var first = await node.Write(write, Cancel);
        // The receipts are counted behind the answer: one turn later the store has been asked.
        await node.HistoryState(Caller(), Cancel);
        var asked = store.Total;

        Clock.Advance(Confirmed);
        var again = await node.Replayed(write, Cancel);
        Assert.Equal((true, first.Status), (again!.Replayed, again.Status));
        Assert.Equal(first.Body.ToArray(), again.Body.ToArray());
        Assert.Equal(asked, store.Total);
        Clock.Advance(OneMs);
        Assert.Null(await node.Replayed(write, Cancel));
    }

    [Fact]
    public async Task Only_a_call_can_say_what_is_not_the_very_write_of_a_caller_with_access()
    {
        var (node, _) = await Warm();
        var write = Push("k", Goal("h"));
        await node.Write(write, Cancel);
        Assert.NotNull(await node.Replayed(write, Cancel));

        Assert.Null(await node.Replayed(write with { Key = "other" }, Cancel));
        Assert.Null(await node.Replayed(write with { Scope = WriteScope.Batch }, Cancel));
        Assert.Null(await node.Replayed(Push("k", Goal("h", "else")), Cancel));
        await node.Revoke(new DeviceId("d1"), revoked: true, Cancel);
        await node.Status(Caller("d2"), Cancel);
        Assert.Null(await node.Replayed(write, Cancel));
        Assert.NotNull(await node.Replayed(write with { Caller = Caller("d2") }, Cancel));
        await node.Erase(Cancel);
        Assert.Null(await node.Replayed(write with { Caller = Caller("d2") }, Cancel));
    }

    [Fact]
    public async Task A_caller_that_loses_access_while_a_replay_is_under_way_gets_none()
    {
        var (node, store) = await Warm();
        var write = Push("k", Goal("h"));
        await node.Write(write, Cancel);
        store.Instead[nameof(IUserStore.SeeDevice)] = _ => new ValueTask<bool>(SignOut());
        Assert.Null(await node.Replayed(write with { Caller = Caller("d2") }, Cancel));

        async Task<bool> SignOut() => await node.SignOutEverywhere(Cancel) > 0;
    }

    [Fact]
    public async Task A_commit_confirms_so_that_the_next_standing_asks_nothing()
    {
        var (node, store) = await Warm();
        Clock.Advance(Confirmed);
        await node.Write(Push(null, Goal("h")), Cancel);
        var asked = store.Total;
        Clock.Advance(Confirmed);

        Assert.Equal(2, (await node.HistoryState(Caller(), Cancel)).Last.Number);
        Assert.Equal(asked, store.Total);
    }

    [Fact]
    public async Task Memory_refuses_no_caller_without_asking_the_store()
    {
        var (node, store) = await Warm();
        var signedOut = await node.SignOutEverywhere(Cancel);
        await node.HistoryState(Caller(issuedAtMs: signedOut), Cancel);
        var asked = store.Calls(nameof(IUserStore.HistoryState));

        Assert.Equal(RequestRefusal.SignedOut, (await node.HistoryState(Caller(), Cancel)).Refusal(Caller()));
        Assert.Equal(asked + 1, store.Calls(nameof(IUserStore.HistoryState)));
    }

    [Fact]
    public async Task A_device_revoked_by_another_activation_is_refused_within_five_seconds()
    {
        var (here, there) = await TwoActivations();
        await here.Revoke(new DeviceId("d1"), revoked: true, Cancel);
        Assert.Equal(RequestRefusal.DeviceRevoked, (await here.HistoryState(Caller(), Cancel)).Refusal(Caller()));
        Clock.Advance(Confirmed + OneMs);

        Assert.Equal(RequestRefusal.DeviceRevoked, (await there.HistoryState(Caller(), Cancel)).Refusal(Caller()));
        Assert.True((await there.Status(Caller(), Cancel)).HistoryState.DeviceRevoked);
        Assert.Equal(RequestRefusal.DeviceRevoked, (await there.Write(Push("k", Goal("g")), Cancel)).Refusal);

        await here.Revoke(new DeviceId("d1"), revoked: false, Cancel);
        Assert.Equal(RequestRefusal.None, (await there.HistoryState(Caller(), Cancel)).Refusal(Caller()));
    }

    [Fact]
    public async Task A_sign_out_on_another_activation_is_honoured_within_five_seconds_whoever_kept_it_busy()
    {
        var (here, there) = await TwoActivations();
        var (old, signedOut) = (Caller(), await here.SignOutEverywhere(Cancel));
        for (var passed = TimeSpan.Zero; passed <= Confirmed; passed += TimeSpan.FromMilliseconds(500))
        {
            await there.HistoryState(old, Cancel);
            Clock.Advance(TimeSpan.FromMilliseconds(500));
        }

        Assert.Equal(RequestRefusal.SignedOut, (await there.HistoryState(old, Cancel)).Refusal(old));
        Assert.Equal(RequestRefusal.SignedOut, (await there.Status(old, Cancel)).HistoryState.Refusal(old));
        Assert.Equal(RequestRefusal.SignedOut, (await there.Write(Push("k", Goal("g")) with { Caller = old }, Cancel)).Refusal);
        var renewed = Caller(issuedAtMs: signedOut);
        Assert.Equal(RequestRefusal.None, (await there.HistoryState(renewed, Cancel)).Refusal(renewed));
    }

    [Fact]
    public async Task Commits_of_signed_in_callers_do_not_hide_a_sign_out_on_another_activation()
    {
        var (here, there) = await TwoActivations();
        var (old, signedOut) = (Caller(), await here.SignOutEverywhere(Cancel));
        await there.Write(Push(null, Goal("h")) with { Caller = Caller(issuedAtMs: signedOut) }, Cancel);

        Assert.Equal(RequestRefusal.SignedOut, (await there.HistoryState(old, Cancel)).Refusal(old));
    }

    [Fact]
    public async Task Sockets_of_a_second_activation_are_closed_by_what_it_learns_of_a_sign_out_and_of_a_revoked_device()
    {
        var sockets = new RecordingGateway();
        var (here, there) = (Coordinator(), await Listened(Store, sockets));
        await there.Write(Push(null, Goal("g")), Cancel);
        await there.HistoryState(Caller(), Cancel);
        await here.Revoke(new DeviceId("d1"), revoked: true, Cancel);
        var signedOut = await here.SignOutEverywhere(Cancel);
        Clock.Advance(Confirmed + OneMs);
        await there.HistoryState(Caller("d2", issuedAtMs: signedOut), Cancel);

        var told = sockets.News[^1];
        Assert.Equal((signedOut, new DeviceId("d1")), (told.NotBeforeMs, Assert.Single(told.Revoked!)));
    }

    /// <summary>The head and the number of goals, as far as the process knows them without a call.</summary>
    private static async Task<(long? Head, int? Goals)> WithoutCall(Coordinator node, Caller caller) => (
        (await node.Reader.Confirmed(caller, Cancel))?.Last.Number,
        (await node.Reader.ConfirmedStatus(caller, Cancel))?.LiveEntities["goal"]);

    /// <summary>One goal is written, and head, devices and heads are known.</summary>
    private async Task<(Coordinator Node, CountingStore Store)> Warm()
    {
        var counting = CountingStore.Over(Store);
        var node = Coordinator(counting.Store);
        await node.Write(Push(null, Goal("g")), Cancel);
        await node.Status(Caller(), Cancel);
        counting.Reset();
        return (node, counting);
    }

    /// <summary>Both have answered device d1, and the second holds an answer under a key.</summary>
    private async Task<(Coordinator Here, Coordinator There)> TwoActivations()
    {
        var (here, there) = (Coordinator(), Coordinator());
        await here.HistoryState(Caller(), Cancel);
        await there.Write(Push("k", Goal("g")), Cancel);
        await there.Status(Caller(), Cancel);
        return (here, there);
    }
}
