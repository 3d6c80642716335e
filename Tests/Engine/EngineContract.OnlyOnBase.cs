using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Engine;

public abstract partial class EngineContract
{
    private async Task<WriteRequest> OnBase(string? key, string value, long? version)
    {
        var history = (await Store.Read(User, null, new ReadQuery(), Clock.NowMs, Cancel)).HistoryState;
        return Push(key, Goal("g", value) with { BaseVersion = version }) with { Cursor = history.Token, OnlyOnBase = true };
    }

    [Fact]
    public async Task A_write_only_on_its_base_leaves_nothing_behind_when_the_base_has_moved()
    {
        var node = Coordinator();
        Assert.Equal(ItemStatus.Created, (await One(node.Write(await OnBase(null, "a", 0), Cancel))).Status);
        var version = Assert.Single(await Everything()).Version;

        foreach (var wrong in (long[])[0, version + 1])
            Assert.Equal(RequestRefusal.BaseMoved, (await node.Write(await OnBase("k", "b", wrong), Cancel)).Refusal);
        Assert.Equal(version, Assert.Single(await Everything()).Version);
        Assert.Empty(await node.Conflicts(null, 10, Cancel));

        var answer = await node.Write(await OnBase("k", "b", version), Cancel);
        Assert.Equal((ItemStatus.Updated, false), (Assert.Single(answer.Items!).Status, answer.Replayed));
        var again = await node.Write(await OnBase("k", "b", version), Cancel);
        Assert.True(again.Replayed);
        Assert.Equal(answer.Body.ToArray(), again.Body.ToArray());
    }

    [Fact]
    public async Task A_receipt_is_found_by_its_key_and_body_and_looking_for_it_leaves_nothing_behind()
    {
        var (here, there) = (Coordinator(), Coordinator());
        var write = Push("k", Goal("g"));
        Assert.Equal(RequestRefusal.NotFound, (await here.FindReceipt(Asking(write), Cancel)).Refusal);

        var answer = await there.Write(write, Cancel);
        Assert.Equal((RequestRefusal.None, false), (answer.Refusal, answer.Replayed));
        foreach (var node in (Coordinator[])[here, there])
        {
            var found = await node.FindReceipt(Asking(write), Cancel);
            Assert.Equal((RequestRefusal.None, true), (found.Refusal, found.Replayed));
            Assert.Equal(answer.Body.ToArray(), found.Body.ToArray());
            Assert.Equal(RequestRefusal.KeyReused, (await node.FindReceipt(Asking(Push("k", Goal("other"))), Cancel)).Refusal);
            Assert.Equal(RequestRefusal.NotFound, (await node.FindReceipt(Asking(write) with { Key = "l" }, Cancel)).Refusal);
        }

        Assert.Single(await Everything());
    }

    [Fact]
    public async Task A_signed_out_caller_finds_no_receipt()
    {
        var node = Coordinator();
        var write = Push("k", Goal("g"));
        await node.Write(write, Cancel);
        await node.SignOutEverywhere(Cancel);

        Assert.Equal(RequestRefusal.SignedOut, (await node.FindReceipt(Asking(write), Cancel)).Refusal);
        Assert.Equal(RequestRefusal.SignedOut, (await node.FindReceipt(Asking(write) with { Key = "l" }, Cancel)).Refusal);
    }

    private protected static ReceiptQuery Asking(WriteRequest write) => new(write.Caller, write.Scope, write.Key!, write.Body);

    [Fact]
    public async Task A_node_that_is_behind_neither_refuses_the_true_base_nor_takes_the_old_one()
    {
        var (here, there) = (Coordinator(), Coordinator());
        await here.Write(await OnBase(null, "a", 0), Cancel);
        var old = Assert.Single(await Everything()).Version;
        await there.Write(await OnBase("k", "b", old), Cancel);
        var now = Assert.Single(await Everything()).Version;

        Assert.True((await here.Write(await OnBase("k", "b", old), Cancel)).Replayed);
        Assert.Equal(ItemStatus.Updated, (await One(here.Write(await OnBase(null, "c", now), Cancel))).Status);
        Assert.Equal(RequestRefusal.BaseMoved, (await there.Write(await OnBase(null, "d", now), Cancel)).Refusal);
        Assert.Empty(await here.Conflicts(null, 10, Cancel));
    }
}
