using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>When an activation thins the versions that are stored.</summary>
public sealed class VersionQuotaTests : IDisposable
{
    private readonly CountingStore store = CountingStore.Over(null);
    private readonly PlainNode node;
    private readonly VersionQuota quota;

    public VersionQuotaTests()
    {
        node = new PlainNode(store.Store, new FakeClock());
        quota = new VersionQuota(new UserId("ada"), node.Silo);
        Leave(0, 0);
    }

    public void Dispose() => node.Dispose();

    [Fact]
    public void The_first_version_has_them_thinned_and_then_every_500()
    {
        Add(0, 0);
        Assert.Equal(0, Trims);
        Add(1, 100);
        Assert.Equal(1, Trims);
        Add(Limits.VersionsBetweenTrims - 1, 100);
        Assert.Equal(1, Trims);
        Add(1, 100);
        Assert.Equal(2, Trims);
    }

    [Fact]
    public void Or_every_2_MiB()
    {
        Add(1, 100);
        Add(1, Limits.VersionBytesBetweenTrims - 1);
        Assert.Equal(1, Trims);
        Add(1, 1);
        Assert.Equal(2, Trims);
    }

    [Fact]
    public void Of_a_user_who_has_many_an_eighth_comes_on_top_first()
    {
        Leave(80_000, 160L << 20);
        Add(1, 100);
        Add(9_999, (20L << 20) - 1);
        Assert.Equal(1, Trims);
        Add(1, 0);
        Assert.Equal(2, Trims);
        Add(1, 20L << 20);
        Assert.Equal(3, Trims);
    }

    [Fact]
    public void While_they_are_thinned_nothing_is_started_and_what_is_added_meanwhile_counts_after_it()
    {
        var left = new TaskCompletionSource<(StoredTotals, bool)>();
        store.Instead[nameof(IUserStore.TrimVersions)] = _ => new ValueTask<(StoredTotals, bool)>(left.Task);
        Add(1, 100);
        Add(Limits.VersionsBetweenTrims - 1, 100);
        Add(Limits.VersionsBetweenTrims, 100);
        Assert.Equal(1, Trims);
        left.SetResult((default, true));
        Add(1, 100);
        Assert.Equal(2, Trims);
    }

    [Fact]
    public void What_did_not_go_at_once_goes_after_the_least_number()
    {
        Leave(80_000, 160L << 20, isDone: false);
        Add(1, 100);
        Add(Limits.VersionsBetweenTrims - 1, 100);
        Assert.Equal(1, Trims);
        Add(1, 100);
        Assert.Equal(2, Trims);
    }

    [Fact]
    public void A_thinning_that_failed_is_made_up_after_the_least_number()
    {
        store.Instead[nameof(IUserStore.TrimVersions)] = _ => throw InterruptedStore.Cut(outcomeUnknown: false);
        Add(1, 100);
        Leave(0, 0);
        Add(Limits.VersionsBetweenTrims - 1, 100);
        Assert.Equal(1, Trims);
        Add(1, 100);
        Assert.Equal(2, Trims);
    }

    private int Trims => store.Calls(nameof(IUserStore.TrimVersions));

    private void Add(long count, long bytes) => quota.Added(new StoredTotals(count, bytes));

    private void Leave(long count, long bytes, bool isDone = true) =>
        store.Instead[nameof(IUserStore.TrimVersions)] = _ => new ValueTask<(StoredTotals, bool)>((new StoredTotals(count, bytes), isDone));
}
