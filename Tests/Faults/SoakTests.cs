using System.Diagnostics;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Sockets;
using Xunit.Abstractions;

namespace Mirubato.Tests.Faults;

/// <summary>Users come, work a little and go, and never come back.</summary>
[Collection("alone")]
public sealed class SoakTests(ITestOutputHelper output)
{
    private const int AtOnce = 25;
    // A coordinator lives for a minute after its user: what comes later takes the place of what is forgotten.
    private const int WarmUpSeconds = 90;
    private const long GrowthMax = 24L << 20;

    [LongFact]
    public async Task Memory_does_not_grow_with_the_users_that_came_and_went()
    {
        await using var cluster = await FaultCluster.Start();
        var gateway = cluster.Gateways[0];
        var clock = Stopwatch.StartNew();
        var (users, sampled, least) = (0, new List<long>(), new List<long>());
        while (clock.Elapsed.TotalSeconds < WarmUpSeconds + FaultSettings.Seconds)
        {
            await Task.WhenAll(Enumerable.Range(users, AtOnce).Select(i => Visit(gateway.Url, $"visitor{i}")));
            users += AtOnce;
            if (clock.Elapsed.TotalSeconds > WarmUpSeconds) sampled.Add(gateway.ResidentBytes);
        }

        // The least of a third is what is left when the collector has just been there.
        least.AddRange(sampled.Chunk((sampled.Count / 3) + 1).Select(third => third.Min()));
        output.WriteLine($"{users} users; resident, least of each third: {string.Join(", ", least.Select(bytes => $"{bytes >> 20} MiB"))}");
        Assert.True(least[^1] <= least[0] + GrowthMax, $"It grew from {least[0] >> 20} to {least[^1] >> 20} MiB while {users} users came and went.");
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
}
