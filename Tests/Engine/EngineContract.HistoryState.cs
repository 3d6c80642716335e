using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Engine;

public abstract partial class EngineContract
{
    [Fact]
    public async Task A_revoked_device_is_refused_at_once_on_every_node()
    {
        var (here, there) = (Coordinator(), Coordinator());
        await here.Write(Push(null, Goal("g")), Cancel);
        await there.Write(Push("k", Goal("h")), Cancel);
        Assert.True(await here.Revoke(new DeviceId("d1"), revoked: true, Cancel));

        Assert.Equal(RequestRefusal.DeviceRevoked, (await there.Write(Push(null, Goal("i")), Cancel)).Refusal);
        Assert.Equal(RequestRefusal.DeviceRevoked, (await there.Write(Push(null, Goal("h")), Cancel)).Refusal);
        Assert.Equal(RequestRefusal.DeviceRevoked, (await there.Write(Push("k", Goal("h")), Cancel)).Refusal);
        Assert.True((await there.Read(Caller(), new ReadQuery(), Cancel)).HistoryState.DeviceRevoked);
        Assert.Equal(2, (await Everything()).Count);

        Assert.True(await here.Revoke(new DeviceId("d1"), revoked: false, Cancel));
        Assert.Equal(RequestRefusal.None, (await there.Write(Push(null, Goal("i")), Cancel)).Refusal);
    }

    [Fact]
    public async Task Signing_out_everywhere_refuses_older_tokens_on_every_node_and_lets_others_of_the_group_pass()
    {
        var (here, there) = (Coordinator(), Coordinator());
        await there.Write(Push(null, Goal("g")), Cancel);
        var notBefore = await here.SignOutEverywhere(Cancel);

        var old = Push(null, Goal("h"));
        var fresh = Push(null, Goal("i")) with { Caller = Caller(issuedAtMs: notBefore) };
        var answers = await Task.WhenAll(there.Write(old, Cancel).AsTask(), there.Write(fresh, Cancel).AsTask());

        Assert.Equal([RequestRefusal.SignedOut, RequestRefusal.None], answers.Select(a => a.Refusal));
        Assert.Equal(RequestRefusal.SignedOut, (await there.HistoryState(Caller(), Cancel)).Refusal(old.Caller));
    }

    [Fact]
    public async Task A_new_device_past_the_quota_is_refused_and_a_known_one_is_not()
    {
        var node = Coordinator(quotas: new Quotas(DevicesMax: 2));
        await node.Write(PushBy("d1", null, Goal("a")), Cancel);
        await node.Write(PushBy("d2", null, Goal("b")), Cancel);

        Assert.Equal(RequestRefusal.DeviceQuota, (await node.Write(PushBy("d3", null, Goal("c")), Cancel)).Refusal);
        Assert.Equal(RequestRefusal.None, (await node.Write(PushBy("d2", null, Goal("d")), Cancel)).Refusal);
        Assert.Equal(["d1", "d2"], (await node.Devices(Cancel)).Select(d => d.Device.Value).Order());
    }

    [Fact]
    public async Task Entities_and_bytes_past_the_quota_are_refused_and_deletes_never_are()
    {
        var node = Coordinator(quotas: new Quotas(LiveEntitiesMax: 2));
        var answer = await node.Write(Push(null, Goal("a"), Goal("b"), Goal("c")), Cancel);
        Assert.Equal([ItemStatus.Created, ItemStatus.Created, ItemStatus.Refused], answer.Items!.Select(i => i.Status));
        Assert.Equal(ItemRefusal.Quota, answer.Items![2].Refusal);

        await node.Write(Push(null, Mirubato.Tests.Domain.ModelServer.Delete("goal", "a", Clock.NowMs + 1)), Cancel);
        Assert.Equal(ItemStatus.Created, (await One(node.Write(Push(null, Goal("c")), Cancel))).Status);

        var small = Coordinator(quotas: new Quotas(BytesMax: 10));
        Assert.Equal(ItemRefusal.Quota, (await One(small.Write(Push(null, Goal("d")), Cancel))).Refusal);
    }

    [Fact]
    public async Task Status_counts_what_other_nodes_have_written()
    {
        var (here, there) = (Coordinator(), Coordinator());
        await here.Write(Push(null, Goal("a")), Cancel);
        Assert.Equal(1, (await there.Status(Caller("d2"), Cancel)).LiveEntities["goal"]);
        await here.Write(Push(null, Goal("b")), Cancel);
        Clock.Advance(TimeSpan.FromMilliseconds(Limits.ConfirmedMs + 1));

        var status = await there.Status(Caller("d2"), Cancel);

        Assert.Equal(2, status.LiveEntities["goal"]);
        Assert.Equal(2, status.HistoryState.Last.Number);
        Assert.Equal(2, status.Devices);
    }

    [Fact]
    public async Task Erasing_starts_a_new_epoch_and_a_stale_node_follows()
    {
        var (here, there) = (Coordinator(), Coordinator());
        await there.Write(Push("k", Goal("g")), Cancel);
        var before = await here.HistoryState(Caller(), Cancel);
        var after = await here.Erase(Cancel);

        Assert.NotEqual(before.Epoch, after.Epoch);
        Assert.True(after.Resets(before.Token));
        var written = await One(there.Write(Push(null, Goal("new")), Cancel));
        Assert.True(written.Seq > before.Last.Number + Limits.EpochJump);
        Assert.Equal(ItemRefusal.Deleted, (await One(there.Write(Push(null, Goal("g")), Cancel))).Refusal);
        Assert.DoesNotContain(await Everything(), r => r.Entity.Id == "g" && r.DeletedAtMs is null);
        await AssertDigest();
    }

    [Fact]
    public async Task A_write_answers_with_the_new_head_only_if_nothing_else_lies_between()
    {
        var node = Coordinator();
        await node.Write(Push(null, Goal("a")), Cancel);
        var token = (await node.HistoryState(Caller(), Cancel)).Token;

        var direct = Token(await node.Write(Push(null, Goal("b")) with { Cursor = token }, Cancel));
        var behind = Token(await node.Write(Push(null, Goal("c")) with { Cursor = token }, Cancel));
        var without = Token(await node.Write(Push(null, Goal("d")), Cancel));

        Assert.Equal(new SyncToken(token.Epoch, token.Seq.Next), direct);
        Assert.Equal(token, behind);
        Assert.Equal(SyncToken.Start, without);
    }

    [Fact]
    public async Task A_batch_with_a_token_gets_the_changes_it_missed_but_not_its_own()
    {
        var node = Coordinator();
        var token = (await node.HistoryState(Caller(), Cancel)).Token;
        await node.Write(PushBy("d2", null, Goal("theirs")), Cancel);

        var answer = await node.Write(Batch(token, Goal("mine")), Cancel);

        using var body = System.Text.Json.JsonDocument.Parse(answer.Body);
        Assert.Equal(
            "theirs",
            Assert.Single(body.RootElement.GetProperty("changes").GetProperty("goals").EnumerateArray()).GetProperty("id").GetString());
        Assert.Equal(1, body.RootElement.GetProperty("downloaded").GetInt32());
        Assert.Equal(new SyncToken(token.Epoch, new Revision(2)).ToString(), body.RootElement.GetProperty("newSyncToken").GetString());
    }

    private static SyncToken Token(WriteAnswer answer)
    {
        using var body = System.Text.Json.JsonDocument.Parse(answer.Body);
        return SyncToken.Parse(body.RootElement.GetProperty("syncToken").GetString());
    }
}
