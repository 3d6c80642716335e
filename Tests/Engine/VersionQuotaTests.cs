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
        quota.Added(0, 0);
        Assert.Equal(0, Trims);
        quota.Added(1, 100);
        Assert.Equal(1, Trims);
        quota.Added(Limits.VersionsBetweenTrims - 1, 100);
        Assert.Equal(1, Trims);
        quota.Added(1, 100);
        Assert.Equal(2, Trims);
    }

    [Fact]
    public void Or_every_2_MiB()
    {
        quota.Added(1, 100);
        quota.Added(1, Limits.VersionBytesBetweenTrims - 1);
        Assert.Equal(1, Trims);
        quota.Added(1, 1);
        Assert.Equal(2, Trims);
    }

    [Fact]
    public void Of_a_user_who_has_many_an_eighth_comes_on_top_first()
    {
        Leave(80_000, 160L << 20);
        quota.Added(1, 100);
        quota.Added(9_999, (20L << 20) - 1);
        Assert.Equal(1, Trims);
        quota.Added(1, 0);
        Assert.Equal(2, Trims);
        quota.Added(1, 20L << 20);
        Assert.Equal(3, Trims);
    }

    [Fact]
    public void While_they_are_thinned_nothing_is_started_and_what_is_added_meanwhile_counts_after_it()
    {
        var left = new TaskCompletionSource<StoredTotals>();
        store.Instead[nameof(IUserStore.TrimVersions)] = _ => new ValueTask<StoredTotals>(left.Task);
        quota.Added(1, 100);
        quota.Added(Limits.VersionsBetweenTrims - 1, 100);
        quota.Added(Limits.VersionsBetweenTrims, 100);
        Assert.Equal(1, Trims);
        left.SetResult(default);
        quota.Added(1, 100);
        Assert.Equal(2, Trims);
    }

    [Fact]
    public void A_thinning_that_failed_is_made_up_after_the_next_version()
    {
        store.Instead[nameof(IUserStore.TrimVersions)] = _ => throw InterruptedStore.Cut(outcomeUnknown: false);
        quota.Added(1, 100);
        Leave(0, 0);
        quota.Added(1, 100);
        quota.Added(1, 100);
        Assert.Equal(2, Trims);
    }

    private int Trims => store.Calls(nameof(IUserStore.TrimVersions));

    private void Leave(long count, long bytes) =>
        store.Instead[nameof(IUserStore.TrimVersions)] = _ => new ValueTask<StoredTotals>(new StoredTotals(count, bytes));
}
