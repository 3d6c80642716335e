using Mirubato.Grains;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Silo;

public sealed class IdleMemoryTests : IDisposable
{
    private const long MiB = 1024 * 1024;
    private const long Quiet = 1 * MiB;
    private const long LittleLoad = 20 * MiB;
    private const long Busy = 200 * MiB;

    private readonly FakeClock clock = new();
    private readonly FakeHeap heap = new();
    private readonly IdleMemory memory;

    public IdleMemoryTests() => memory = new IdleMemory(clock, heap);

    public void Dispose() => memory.Dispose();

    [Fact]
    public void A_process_that_has_become_quiet_returns_its_memory_and_once_more_90_seconds_later()
    {
        Live(Busy, seconds: 60);
        Assert.Equal(0, heap.Compactions);
        Live(Quiet, seconds: 10);
        Assert.Equal(1, heap.Compactions);
        Live(Quiet, seconds: 85);
        Assert.Equal(1, heap.Compactions);
        Live(Quiet, seconds: 5);
        Assert.Equal(2, heap.Compactions);
        Live(0, seconds: 600);
        Assert.Equal(2, heap.Compactions);
    }

    [Fact]
    public void It_goes_on_every_90_seconds_as_long_as_that_returns_8_MiB()
    {
        heap.Returned = 8 * MiB;
        Live(Busy, seconds: 60);
        Live(Quiet, seconds: 10 + 90 + 90);
        Assert.Equal(3, heap.Compactions);
        heap.Returned--;
        Live(0, seconds: 90);
        Assert.Equal(4, heap.Compactions);
        Live(0, seconds: 600);
        Assert.Equal(4, heap.Compactions);
    }

    [Fact]
    public void A_process_that_has_hardly_allocated_is_left_alone()
    {
        Live(Quiet, seconds: 60);
        Assert.Equal(0, heap.Compactions);
    }

    [Fact]
    public void Under_little_load_new_garbage_is_collected_whenever_it_has_come_to_4_MiB()
    {
        Live(Quiet, seconds: 15);
        Assert.Equal(0, heap.YoungCollections);
        Live(Quiet, seconds: 5);
        Assert.Equal(1, heap.YoungCollections);
        Live(LittleLoad, seconds: 20);
        Assert.Equal(5, heap.YoungCollections);
        Live(Busy, seconds: 60);
        Live(0, seconds: 5);
        Assert.Equal(5, heap.YoungCollections);
    }

    [Fact]
    public void It_returns_its_memory_when_many_sockets_have_gone()
    {
        Live(Quiet, seconds: 30);
        for (var i = 0; i < 500; i++) memory.Freed();
        Live(Quiet, seconds: 10);
        Assert.Equal(1, heap.Compactions);
    }

    [Fact]
    public void Under_little_load_it_returns_its_memory_only_if_the_heap_has_grown_by_half()
    {
        heap.Committed = 290 * MiB; // It began with 200.
        Live(LittleLoad, seconds: 120);
        Assert.Equal(0, heap.Compactions);
        heap.Committed = 310 * MiB;
        Live(LittleLoad, seconds: 10);
        Assert.Equal(1, heap.Compactions);
        heap.Committed = 400 * MiB; // It is compared with what the heap was after that: 310.
        Live(LittleLoad, seconds: 60);
        Assert.Equal(1, heap.Compactions);
    }

    [Fact]
    public void A_busy_process_is_left_alone()
    {
        heap.Committed = 2_000 * MiB;
        Live(Busy, seconds: 600);
        Assert.Equal(0, heap.Compactions);
    }

    [Fact]
    public void It_pauses_no_more_than_every_30_seconds()
    {
        Live(Busy, seconds: 60);
        Live(Quiet, seconds: 10);
        Live(Busy, seconds: 5);
        Live(Quiet, seconds: 20);
        Assert.Equal(1, heap.Compactions);
        Live(Quiet, seconds: 5);
        Assert.Equal(2, heap.Compactions);
    }

    /// <summary>Lets time pass, while so much is allocated in five seconds.</summary>
    private void Live(long allocated, int seconds)
    {
        for (; seconds > 0; seconds -= 5)
        {
            heap.Allocated += allocated;
            clock.Advance(TimeSpan.FromSeconds(5));
        }
    }

    private sealed class FakeHeap : ManagedHeap
    {
        public long Allocated { get; set; }

        public long Committed { get; set; } = 200 * MiB;

        public int Compactions { get; private set; }

        public int YoungCollections { get; private set; }

        /// <summary>By each compaction.</summary>
        public long Returned { get; set; }

        public override long AllocatedBytes => Allocated;

        public override long CommittedBytes => Committed;

        public override void CollectYoung() => YoungCollections++;

        public override void Compact()
        {
            Compactions++;
            Committed -= Returned;
        }
    }
}
