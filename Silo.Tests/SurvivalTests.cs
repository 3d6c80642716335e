using System.Collections.Concurrent;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Silo.Tests;

[Collection(SharesPostgres.Name)]
public sealed class SurvivalTests(PostgresCluster postgres) : ClusterContract(postgres)
{
    [Fact]
    public async Task A_users_state_survives_the_kill_of_whichever_silo_holds_it()
    {
        var cluster = await Cluster(silos: 2);
        var coordinator = (await cluster.Gateway()).Coordinators.For(User);
        await Insist(coordinator, Push(User, "k0", "e0"));

        foreach (var (silo, i) in cluster.Silos.ToList().Select((silo, i) => (silo, i + 1)))
        {
            await cluster.Add();
            await cluster.Kill(silo);
            await Insist(coordinator, Push(User, "k" + i, "e" + i));
        }

        Assert.True((await Insist(coordinator, Push(User, "k0", "e0"))).Replayed);
        await AssertHistory(User, ["e0", "e1", "e2"]);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_found_again_by_the_next_activation()
    {
        var store = new InterruptedStore(Store);
        var coordinator = (await (await Cluster(silos: 2, store)).Gateway()).Coordinators.For(User);
        await coordinator.Write(Push(User, "k0", "e0"), Cancel);
        store.Around = async commit =>
        {
            await commit();
            throw InterruptedStore.Cut(outcomeUnknown: true);
        };
        var unknown = await Assert.ThrowsAsync<StoreUnavailableException>(() => coordinator.Write(Push(User, "k1", "e1"), Cancel).AsTask());
        Assert.True(unknown.OutcomeUnknown);
        Assert.Equal("unreachable", unknown.Reason);
        store.Around = null;

        var again = await Insist(coordinator, Push(User, "k1", "e1"));

        Assert.True(again.Replayed);
        Assert.Equal(2, store.WholeLoads);
        await AssertHistory(User, ["e0", "e1"]);
    }

    [Fact]
    public async Task Calls_that_meet_at_one_activation_share_a_commit()
    {
        var store = new InterruptedStore(Store);
        var coordinator = (await (await Cluster(silos: 1, store)).Gateway()).Coordinators.For(User);
        await coordinator.Write(Push(User, "k", "e"), Cancel);
        var (held, reached) = (new TaskCompletionSource(), new TaskCompletionSource());
        store.Around = async commit =>
        {
            reached.TrySetResult();
            await held.Task;
            return await commit();
        };

        var first = coordinator.Write(Push(User, "k0", "e0"), Cancel).AsTask();
        await reached.Task;
        var others = Enumerable.Range(1, 20).Select(i => coordinator.Write(Push(User, "k" + i, "e" + i), Cancel).AsTask()).ToList();
        held.SetResult();
        await Task.WhenAll([first, .. others]);

        Assert.InRange(store.Commits, 3, 12);
        await AssertHistory(User, ["e", .. Enumerable.Range(0, 21).Select(i => "e" + i)]);
    }

    [Fact]
    public async Task Two_activations_of_one_user_leave_no_gap_and_no_revision_twice()
    {
        var one = (await (await Cluster(silos: 1)).Gateway()).Coordinators.For(User);
        var other = (await (await Cluster(silos: 1)).Gateway()).Coordinators.For(User);

        var given = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Insist(i % 2 == 0 ? one : other, Push(User, "k" + i, "e" + i))));
        var twins = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Insist(i % 2 == 0 ? one : other, Push(User, "twin", "t"))));

        Assert.Equal(60, given.Select(answer => answer.Items![0].Seq).Distinct().Count());
        Assert.Single(twins, answer => !answer.Replayed);
        await AssertHistory(User, [.. Enumerable.Range(0, 60).Select(i => "e" + i), "t"]);
    }

    [Fact]
    public async Task Replacing_three_silos_one_by_one_under_load_loses_nothing()
    {
        var cluster = await Cluster(silos: 3);
        var gateway = await cluster.Gateway();
        var acknowledged = new ConcurrentQueue<(UserId User, string Id)>();
        using var replaced = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 8).Select(w => Task.Run(async () =>
        {
            var user = new UserId($"{User}-{w}");
            for (var i = 0; !replaced.IsCancellationRequested; i++)
            {
                await Insist(gateway.Coordinators.For(user), Push(user, "k" + i, "e" + i));
                acknowledged.Enqueue((user, "e" + i));
            }
        })).ToList();

        foreach (var silo in cluster.Silos.ToList())
        {
            await cluster.Add();
            await cluster.Stop(silo);
        }

        await replaced.CancelAsync();
        await Task.WhenAll(writers);

        Assert.Equal(8, acknowledged.Select(one => one.User).Distinct().Count());
        foreach (var user in acknowledged.GroupBy(one => one.User, one => one.Id)) await AssertHistory(user.Key, user);
    }
}
