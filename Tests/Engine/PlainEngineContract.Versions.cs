using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Domain;

namespace Mirubato.Tests.Engine;

public abstract partial class PlainEngineContract
{
    [Fact]
    public async Task What_a_deletion_or_a_small_edit_replaces_counts_toward_the_bound_of_versions()
    {
        const int large = 200_000;
        var (node, store) = await Warm();
        await node.Write(Push(null, Goal("g", "edited", Clock.NowMs + 1)), Cancel);
        var ids = Enumerable.Range(0, (int)(Limits.VersionBytesBetweenTrims / large)).Select(i => $"large{i}").ToList();
        await node.Write(Push(null, [.. ids.Select(id => Goal(id, new string('x', large)))]), Cancel);
        Assert.Equal(1, await Trims());

        await node.Write(Push(null, [.. ids.Select(id => ModelServer.Delete("goal", id, Clock.NowMs + 1))]), Cancel);
        Assert.Equal(1, await Trims());
        await node.Write(Push(null, Goal("last", new string('x', large))), Cancel);
        await node.Write(Push(null, Goal("last", "small", Clock.NowMs + 1)), Cancel);
        Assert.Equal(2, await Trims());

        async Task<int> Trims()
        {
            // They begin behind the answer, before the next turn.
            await node.HistoryState(Caller(), Cancel);
            return store.Calls(nameof(IUserStore.TrimVersions));
        }
    }
}
