using Mirubato.Grains;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Engine;

/// <summary>The last answers under a key: which are kept, and for how long.</summary>
public sealed class IdempotencyCacheTests
{
    private const long NowMs = 1_000_000;

    private readonly IdempotencyCache cache = new();

    [Fact]
    public void An_answer_is_found_under_its_key_and_scope_until_it_expires()
    {
        cache.Add(Receipt("k") with { ExpiresMs = NowMs });

        Assert.NotNull(cache.Find(WriteScope.Push, "k", NowMs - 1));
        Assert.Null(cache.Find(WriteScope.Push, "k", NowMs));
        Assert.Null(cache.Find(WriteScope.Batch, "k", NowMs - 1));
        Assert.Null(cache.Find(WriteScope.Push, "other", NowMs - 1));
    }

    [Fact]
    public void Past_its_number_the_oldest_goes()
    {
        for (var i = 0; i < Limits.CachedResponsesMax; i++) cache.Add(Receipt("k" + i));
        Assert.True(Has("k0"));
        cache.Add(Receipt("one past"));

        Assert.Equal((false, true, true), (Has("k0"), Has("k1"), Has("one past")));
    }

    [Fact]
    public void Past_its_bytes_the_oldest_go()
    {
        cache.Add(Receipt("a", Limits.CachedResponseBytesMax / 2));
        cache.Add(Receipt("b", Limits.CachedResponseBytesMax / 2));
        Assert.True(Has("a"));
        cache.Add(Receipt("c", 1));

        Assert.Equal((false, true, true), (Has("a"), Has("b"), Has("c")));
    }

    [Fact]
    public void A_later_answer_under_a_key_takes_the_place_and_the_bytes_of_the_one_before()
    {
        for (var i = 0; i < 100; i++) cache.Add(Receipt("k", Limits.CachedResponseBytesMax) with { Status = i });
        Assert.Equal(99, cache.Find(WriteScope.Push, "k", NowMs)!.Status);
        cache.Add(Receipt("k", 1));
        cache.Add(Receipt("l", Limits.CachedResponseBytesMax - 1));

        Assert.True(Has("k") && Has("l"));
    }

    [Fact]
    public void One_that_is_too_large_is_not_kept_and_leaves_room_for_the_next()
    {
        cache.Add(Receipt("large", Limits.CachedResponseBytesMax + 1));
        Assert.False(Has("large"));
        cache.Add(Receipt("k", Limits.CachedResponseBytesMax));
        Assert.True(Has("k"));
    }

    [Fact]
    public void Cleared_it_knows_nothing_and_takes_as_much_as_before()
    {
        for (var i = 0; i < Limits.CachedResponsesMax; i++) cache.Add(Receipt("old" + i, 1_024));
        cache.Clear();
        Assert.False(Has("old1"));
        for (var i = 0; i < Limits.CachedResponsesMax; i++) cache.Add(Receipt("k" + i, 1_024));
        Assert.True(Has("k0"));
    }

    private bool Has(string key) => cache.Find(WriteScope.Push, key, NowMs) is not null;

    private static Receipt Receipt(string key, int bytes = 1) =>
        new(WriteScope.Push, key, default, default, 200, new byte[bytes], NowMs + 1);
}
