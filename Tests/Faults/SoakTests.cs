using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Sockets;
using Mirubato.Tests.Support;
using Orleans.Configuration;
using Xunit.Abstractions;

namespace Mirubato.Tests.Faults;

/// <summary>
/// Users come, work a little and go, and never come back. The server runs in this process, because only a process itself can say what is
/// alive on its heap. Resident memory rises for minutes also when nothing is kept: the collector has yet to find its size, and some of what
/// users leave behind is remembered for ten minutes on purpose.
/// </summary>
[Collection("alone")]
public sealed class SoakTests(ITestOutputHelper output)
{
    private const int AtOnce = 25;
    // Pools, tables and caches have their size, and the code is compiled, once so many have come and gone.
    private const int WarmUpUsers = 10_000;
    private const int DirectoryCacheMax = 1_000;
    // Tables that follow the busiest moment still differ by up to 400 KiB, which is 40 bytes for each of so many users.
    private const int UsersMin = 10_000;
    // An entry of a dictionary with a user's id as its key takes about 90.
    private const long BytesPerUserMax = 64;
    // Tokens are remembered for a minute, and buckets of the rate limiter for ten seconds, by the system's clock.
    private static readonly TimeSpan SystemClockMemory = TimeSpan.FromSeconds(75);
    // What goes by the server's own clock is kept for at most this long.
    private static readonly TimeSpan ServerClockMemory = TimeSpan.FromMilliseconds(
        Math.Max(Limits.RecentHeadsMs, Limits.RosterSilentMs) + 60_000);
    // Orleans ends idle activations by the system's clock.
    private const int IdleMinutes = 2;
    private static readonly TimeSpan ForgetPatience = TimeSpan.FromMinutes(IdleMinutes + 5);

    private static readonly TimeSpan SettlePatience = TimeSpan.FromMinutes(1);

    private readonly AdvancedClock time = new();

    [LongFact]
    public async Task Memory_does_not_grow_with_the_users_that_came_and_went()
    {
        var store = await PostgresCluster.StartOwn(fsync: false);
        try
        {
            await using var server = await LiveServer.StartWith(
                Services, $"--Storage:Postgres={await store.FreshDatabase()}", $"--Silo:IdleMinutes={IdleMinutes}");
            await Visits(server.Url, "first", WarmUpUsers, TimeSpan.Zero);
            var before = await AliveBytes(server);
            var users = await Visits(server.Url, "later", UsersMin, TimeSpan.FromSeconds(FaultSettings.Seconds));
            var after = await AliveBytes(server);

            var perUser = (after - before) / (double)users;
            output.WriteLine(
                $"Alive: {before >> 10} KiB after {WarmUpUsers} users, {after >> 10} KiB after {users} more: {perUser:f1} bytes per user.");
            Assert.True(
                perUser <= BytesPerUserMax,
                $"{after - before} bytes more are alive since {users} users came and went: {perUser:f1} per user.");
        }
        finally
        {
            await store.DisposeAsync();
        }
    }

    /// <summary>Orleans keeps the addresses of the last 50,000 grains, 170 bytes each. With room for fewer, the warm-up fills it.</summary>
    private void Services(IServiceCollection services) => services
        .AddKeyedSingleton<TimeProvider>(ServerClock.Key, time)
        .Configure<GrainDirectoryOptions>(directory => directory.CacheSize = DirectoryCacheMax);

    /// <summary>At least so many users, and for at least so long: returns how many came.</summary>
    private static async Task<int> Visits(Uri gateway, string name, int usersMin, TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        var users = 0;
        for (; users < usersMin || clock.Elapsed < duration; users += AtOnce)
        {
            await Task.WhenAll(Enumerable.Range(users, AtOnce).Select(i => Visit(gateway, $"{name}{i}")));
        }

        return users;
    }

    private static async Task Visit(Uri gateway, string user)
    {
        await using var socket = await SocketClient.Open(gateway, user);
        await socket.Sync();
        using var phone = new HttpDevice(gateway, user, "phone");
        await phone.Push("\"goals\":[{\"id\":\"g1\",\"updatedAt\":1}]");
        await socket.Next("GOAL_UPDATED");
        await socket.Mutate("GOAL_UPDATED", "\"goal\":{\"id\":\"g2\",\"updatedAt\":2}");
    }

    /// <summary>What a full collection leaves, once the server has had the time to forget whoever left.</summary>
    private async Task<long> AliveBytes(LiveServer server)
    {
        var active = server.Services.GetRequiredService<CoordinatorContext>().Active;
        var idle = Stopwatch.StartNew();
        time.Advance(ServerClockMemory);
        var isForgotten = await Patiently.Until(() => idle.Elapsed >= SystemClockMemory && active.Count == 0, ForgetPatience);
        Assert.True(isForgotten, $"{active.Count} coordinators of users who left are still there.");
        // Tokens that are out of date go with the next one that comes.
        await Visit(server.Url, $"last-{Guid.NewGuid():n}");
        return await Settled();
    }

    /// <summary>Orleans takes ended activations out of its directory in batches, for some time after the last has ended.</summary>
    private static async Task<long> Settled()
    {
        var alive = long.MaxValue;
        await Patiently.Until(
            () =>
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
                GC.WaitForPendingFinalizers();
                alive = Math.Min(alive, GC.GetTotalMemory(forceFullCollection: true));
                return false;
            },
            SettlePatience);
        return alive;
    }

    /// <summary>The system's clock, so much later. Its timers keep their pace.</summary>
    private sealed class AdvancedClock : TimeProvider
    {
        private long aheadTicks;

        public void Advance(TimeSpan by) => Interlocked.Add(ref aheadTicks, by.Ticks);

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref aheadTicks));
    }
}
