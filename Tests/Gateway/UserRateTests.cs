using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Gateway.Errors;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Options;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

/// <summary>What a user's calls take of the user's rate. The bucket is refilled by the system's clock, so bounds are wide.</summary>
public sealed class UserRateTests
{
    private const int Burst = 1_000;
    private const int RefilledMax = 150;
    private static readonly string[] Slow = ["--Limits:RequestsPerSecond=1", $"--Limits:RequestBurst={Burst}"];
    private static readonly UserId Ada = new("ada");

    [Fact]
    public void What_the_bucket_does_not_hold_is_owed_and_the_next_call_waits_until_it_is_paid()
    {
        using var rates = new UserRates(new LimitOptions { RequestsPerSecond = 1, RequestBurst = Burst });
        rates.Charge(Ada, 900);
        Assert.True(rates.TryTake(Ada));
        rates.ThrowIfOwing(Ada);

        rates.Charge(Ada, 900);
        Assert.Throws<RequestRefusedException>(() => rates.ThrowIfOwing(Ada));
        Assert.False(rates.TryTake(Ada.Value, out var retrySeconds));
        Assert.InRange(retrySeconds, 802 - RefilledMax, 802);
        Assert.True(rates.TryTake(new UserId("bob")));
    }

    [Fact]
    public void A_cost_past_the_whole_bucket_counts_as_the_whole_bucket()
    {
        using var rates = new UserRates(new LimitOptions { RequestsPerSecond = 1, RequestBurst = Burst });
        rates.Charge(Ada, int.MaxValue);
        rates.ThrowIfOwing(Ada);
        rates.Charge(Ada, int.MaxValue);
        rates.Charge(Ada, int.MaxValue);
        Assert.False(rates.TryTake(Ada.Value, out var retrySeconds));
        Assert.InRange(retrySeconds, Burst - RefilledMax, Burst + 1);
    }

    [Fact]
    public async Task Items_count()
    {
        await using var edge = await Edge.Start(Slow);
        var items = string.Join(',', Enumerable.Range(0, 25_000).Select(i => $"{{\"id\":\"e{i}\"}}"));
        await edge.Post("/api/sync/push", $"{{\"changes\":{{\"entries\":[{items}]}}}}");
        var left = Burst - 1 - (25_000 / Limits.ItemsPerPermit) - (items.Length / Limits.BytesPerPermit);
        Assert.InRange(Drain(edge), left, left + RefilledMax);
    }

    [Fact]
    public async Task A_body_counts_past_its_first_64_KiB()
    {
        await using var edge = await Edge.Start(Slow);
        await edge.Post("/api/sync/push", """{"changes":{}}""" + new string(' ', 20 * 1024 * 1024));
        const int left = Burst - (20 * 1024 * 1024 / Limits.BytesPerPermit);
        Assert.InRange(Drain(edge), left, left + RefilledMax);
    }

    [Fact]
    public async Task An_ordinary_call_takes_one()
    {
        await using var edge = await Edge.Start(Slow);
        for (var i = 0; i < 10; i++) await edge.Post("/api/sync/push", """{"changes":{"entries":[{"id":"a"}]}}""");
        Assert.InRange(Drain(edge), Burst - 10, Burst);
    }

    [Fact]
    public async Task A_large_body_is_refused_for_earlier_calls_and_never_for_itself()
    {
        var options = new GatewayOptions(
            new(Edge.Secret, null, null, null, false), new(null, "x.db"), new([], false),
            new() { RequestsPerSecond = 1, RequestBurst = Burst }, new Quotas(), [], new(false, 120, 120));
        using var rates = new UserRates(options.Limits);
        var bodies = new RequestBodies(new BodyBudget(options), rates, options, TimeProvider.System);
        rates.Charge(Ada, Burst - 1);
        Assert.Equal(1024 * 1024, (await bodies.Read(With(1024 * 1024), Ada)).Length);
        rates.Charge(Ada, Burst);

        Assert.Equal(64 * 1024, (await bodies.Read(With(64 * 1024), Ada)).Length);
        var refused = await Assert.ThrowsAsync<RequestRefusedException>(async () => await bodies.Read(With((64 * 1024) + 1), Ada));
        Assert.Equal(Problem.RateLimited, refused.Problem);
        Assert.InRange(refused.RetrySeconds!.Value, Burst - RefilledMax, Burst);
        Assert.Equal(65 * 1024, (await bodies.Read(With(65 * 1024), new UserId("bob"))).Length);
    }

    private static DefaultHttpContext With(int bytes) =>
        new() { Request = { Body = new MemoryStream(new byte[bytes]), ContentLength = bytes } };

    /// <summary>How many calls the user may still make.</summary>
    private static int Drain(Edge edge)
    {
        var rates = edge.Services.GetRequiredService<UserRates>();
        var taken = 0;
        while (rates.TryTake(Ada)) taken++;
        return taken;
    }
}
