using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>
/// A request with a key happens once, however often it is sent. <c>StoreContract.Receipts.cs</c> shows the same for a kill between commit
/// and answer, <c>HttpContract.Keys.cs</c> over HTTP, and <c>FaultTests</c> under random faults.
/// </summary>
public abstract partial class EngineContract
{
    [Fact]
    public async Task One_key_sent_32_times_at_once_to_two_nodes_executes_once_and_answers_the_same_bytes()
    {
        Coordinator[] nodes = [Coordinator(), Coordinator()];
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 32).Select(i => Task.Run(async () => await nodes[i % 2].Write(Push("k", Goal("g")), Cancel))));

        Assert.Single(answers, a => !a.Replayed);
        Assert.All(answers, a => Assert.Equal(answers[0].Body.ToArray(), a.Body.ToArray()));
        Assert.Equal(1, (await Store.HistoryState(User, null, Clock.NowMs, Cancel)).Last.Number);
    }

    [Fact]
    public async Task A_key_that_changed_nothing_is_replayed_all_the_same()
    {
        var node = Coordinator();
        await node.Write(Push(null, Goal("g")), Cancel);
        var first = await node.Write(Push("k", Goal("g")), Cancel);
        await node.Write(Push(null, Goal("g", "other", Clock.NowMs + 5)), Cancel);

        var second = await Coordinator().Write(Push("k", Goal("g")), Cancel);

        Assert.True(second.Replayed);
        Assert.Equal(first.Body.ToArray(), second.Body.ToArray());
    }

    [Fact]
    public async Task A_key_under_another_body_is_refused_also_on_another_node()
    {
        var node = Coordinator();
        await node.Write(Push("k", Goal("g")), Cancel);

        Assert.Equal(RequestRefusal.KeyReused, (await node.Write(Push("k", Goal("g", "else")), Cancel)).Refusal);
        Assert.Equal(RequestRefusal.KeyReused, (await Coordinator().Write(Push("k", Goal("g", "else")), Cancel)).Refusal);
    }

    [Fact]
    public async Task A_key_means_something_else_to_another_endpoint_and_another_user()
    {
        var node = Coordinator();
        await node.Write(Push("k", Goal("g")), Cancel);

        Assert.False((await node.Write(Push("k", Goal("h")) with { Scope = WriteScope.Batch }, Cancel)).Replayed);
        var other = new UserId(User.Value + "x");
        var foreign = Push("k", Goal("g")) with { Caller = new Caller(other, null, Clock.NowMs) };
        Assert.False((await Node().For(other).Write(foreign, Cancel)).Replayed);
    }

    [Fact]
    public async Task An_expired_key_executes_again()
    {
        var node = Coordinator();
        await node.Write(Push("k", Goal("g")), Cancel);
        Clock.Advance(TimeSpan.FromHours(Limits.ReceiptHours) + TimeSpan.FromMilliseconds(1));

        Assert.False((await node.Write(Push("k", Goal("h")), Cancel)).Replayed);
        Assert.True((await Coordinator().Write(Push("k", Goal("h")), Cancel)).Replayed);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_happens_once()
    {
        var store = new InterruptedStore(Store);
        var node = Coordinator(store);
        store.Around = async commit =>
        {
            await commit();
            throw InterruptedStore.Cut(outcomeUnknown: true);
        };
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await node.Write(Push("k", Goal("g")), Cancel));
        store.Around = null;

        var again = await node.Write(Push("k", Goal("g")), Cancel);

        Assert.True(again.Replayed);
        Assert.Equal(1, (await Store.HistoryState(User, null, Clock.NowMs, Cancel)).Last.Number);
    }
}
