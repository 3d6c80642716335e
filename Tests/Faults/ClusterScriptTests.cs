using System.Text.RegularExpressions;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Sockets;
using Xunit.Abstractions;

namespace Mirubato.Tests.Faults;

/// <summary>The one command that starts a cluster, through its balancer.</summary>
[Collection("alone")]
public sealed class ClusterScriptTests(ITestOutputHelper output)
{
    [NeedsHaproxyFact]
    public async Task When_the_silo_of_a_user_is_killed_reads_go_on_writes_succeed_soon_and_reach_sockets()
    {
        await using var cluster = await ClusterScript.Start("--random");
        Assert.Equal(["haproxy", "postgres", "silo-1", "silo-2", "silo-3"], cluster.Children.Keys.Order());
        var user = await KilledSiloUser.Start(cluster, output);
        await using var phone = await SocketClient.Open(cluster.Url, "ada");
        await phone.Sync();

        Signals.Send(cluster.Children["silo-2"], Signal.Kill);
        await user.AssertServedWithout("silo-2");
        await cluster.Says("silo-2 ");
        await user.DisposeAsync();

        Assert.DoesNotContain(Edge.Token()[..20], cluster.BalancerLog);
        Assert.Equal(0, await cluster.Stop(Signal.Interrupt));
        Assert.All(cluster.Children, child => Assert.False(Signals.Lives(child.Value), $"{child.Key} is still there."));
    }

    [NeedsHaproxyFact]
    public async Task Balanced_by_user_requests_and_sockets_of_a_user_meet_in_one_silo()
    {
        await using var cluster = await ClusterScript.Start();
        for (var user = 0; user < 6; user++)
        {
            using var phone = new HttpDevice(cluster.Url, $"user{user}", "phone");
            await phone.Push("\"goals\":[{\"id\":\"g1\",\"updatedAt\":1}]");
            await using var byQuery = await SocketClient.Open(cluster.Url, $"user{user}");
            await byQuery.Sync();
            // The subprotocol's token is among the headers the balancer looks into, too.
            await using var byProtocol = await SocketClient.Open(cluster.Url, "", "", options =>
            {
                options.AddSubProtocol("mirubato.sync.v1");
                options.AddSubProtocol("bearer." + Edge.Token($"user{user}"));
            });
            await byProtocol.Sync();
        }

        Assert.Equal(0, await cluster.Stop(Signal.Terminate));
        // A line for each push when it is answered, and for each socket when it is closed.
        var served = Regex.Matches(cluster.BalancerLog, @"clients (\w+)/(silo-\d) .*(POST|GET) (/api|/sync)")
            .Select(line => (Backend: line.Groups[1].Value, Silo: line.Groups[2].Value))
            .ToList();
        Assert.Equal((6, 12), (served.Count(s => s.Backend == "requests"), served.Count(s => s.Backend == "sockets")));
        foreach (var silo in served.GroupBy(s => s.Silo))
        {
            Assert.Equal(2 * silo.Count(s => s.Backend == "requests"), silo.Count(s => s.Backend == "sockets"));
        }
        Assert.True(served.Select(s => s.Silo).Distinct().Count() > 1, "Six users met in one silo of three.");
    }
}
