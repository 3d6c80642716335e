using Mirubato.Grains;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>When an activation looks after the receipts that are stored.</summary>
public sealed class ReceiptQuotaTests : IDisposable
{
    private readonly CountingStore store = CountingStore.Over(null);
    private readonly PlainNode node;
    private readonly ReceiptQuota quota;
    private StoredTotals left;

    public ReceiptQuotaTests()
    {
        node = new PlainNode(store.Store, new FakeClock());
        quota = new ReceiptQuota(new UserId("ada"), node.Silo);
        store.Instead[nameof(IUserStore.TrimReceipts)] = _ => new ValueTask<StoredTotals>(left);
    }

    public void Dispose() => node.Dispose();

    [Fact]
    public void The_first_receipt_asks_what_is_stored_and_later_ones_only_once_a_bound_is_passed()
    {
        left = new StoredTotals(Limits.ReceiptsMax - 5, 0);
        Add(1);
        Assert.Equal(1, Trims);
        Add(5);
        Assert.Equal(1, Trims);
        left = new StoredTotals(Limits.ReceiptsMax - Limits.ReceiptsPerTrim, 0);
        Add(1);
        Assert.Equal(2, Trims);
        Add(Limits.ReceiptsPerTrim);
        Assert.Equal(2, Trims);
    }

    [Fact]
    public void Bytes_are_counted_as_well()
    {
        left = new StoredTotals(1, Limits.ReceiptBytesMax - 2_000);
        Add(1, bytes: 500_000);
        Add(2, bytes: 1_000);
        Assert.Equal(1, Trims);
        Add(1, bytes: 1);
        Assert.Equal(2, Trims);
    }

    [Fact]
    public void No_receipts_ask_nothing()
    {
        Add(0);
        Assert.Equal(0, Trims);
    }

    [Fact]
    public void While_a_trim_runs_none_is_started_and_what_is_added_meanwhile_counts_after_it()
    {
        var answer = new TaskCompletionSource<StoredTotals>();
        store.Instead[nameof(IUserStore.TrimReceipts)] = _ => new ValueTask<StoredTotals>(answer.Task);
        Add(1);
        Add(10);
        Assert.Equal(1, Trims);
        answer.SetResult(new StoredTotals(Limits.ReceiptsMax - 10, 0));
        Add(1);
        Assert.Equal(2, Trims);
    }

    [Fact]
    public void A_trim_that_failed_is_made_up_after_the_next_receipt()
    {
        store.Instead[nameof(IUserStore.TrimReceipts)] = _ => throw InterruptedStore.Cut(outcomeUnknown: false);
        Add(1);
        store.Instead[nameof(IUserStore.TrimReceipts)] = _ => new ValueTask<StoredTotals>(left);
        Add(1);
        Add(1);
        Assert.Equal(2, Trims);
    }

    private int Trims => store.Calls(nameof(IUserStore.TrimReceipts));

    private void Add(int count, int bytes = 0) => quota.Added(
        [.. Enumerable.Repeat(new Receipt(WriteScope.Push, "k", default, default, 200, new byte[bytes], 0), count)]);
}
