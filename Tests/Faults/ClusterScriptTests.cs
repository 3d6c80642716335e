using System.Text.RegularExpressions;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Sockets;

namespace Mirubato.Tests.Faults;

/// <summary>The one command that starts a cluster, through its balancer.</summary>
[Collection("alone")]
public sealed class ClusterScriptTests
{
    [NeedsHaproxyFact]
    public async Task Balanced_blindly_a_socket_hears_what_was_pushed_outlives_its_silo_and_nothing_is_left_behind()
    {
        await using var cluster = await ClusterScript.Start("--random");
        Assert.Equal(["haproxy", "postgres", "silo-1", "silo-2", "silo-3"], cluster.Children.Keys.Order());
        using var phone = new HttpDevice(cluster.Url, "ada", "phone");
        var socket = await SocketClient.Open(cluster.Url, "ada");
        await socket.Sync();
        await phone.Push("\"goals\":[{\"id\":\"g1\",\"updatedAt\":1}]");
        await socket.Next("GOAL_UPDATED");

        Signals.Send(cluster.Children["silo-2"], Signal.Kill);
        await cluster.Says("silo-2 ");
        for (var i = 2; i < 8; i++) socket = await Told(cluster, phone, socket, i);

        Assert.Empty(socket.Faults);
        await socket.DisposeAsync();
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
        var served = Regex.Matches(cluster.BalancerLog, @"clients (\w+)/(silo-\d) .*(POST|GET) (/api|/sync)").Select(line => (Backend: line.Groups[1].Value, Silo: line.Groups[2].Value)).ToList();
        Assert.Equal((6, 12), (served.Count(s => s.Backend == "requests"), served.Count(s => s.Backend == "sockets")));
        foreach (var silo in served.GroupBy(s => s.Silo)) Assert.Equal(2 * silo.Count(s => s.Backend == "requests"), silo.Count(s => s.Backend == "sockets"));
        Assert.True(served.Select(s => s.Silo).Distinct().Count() > 1, "Six users met in one silo of three.");
    }

    /// <summary>A push while one silo is gone; a socket that was on it comes back and misses nothing.</summary>
    private static async Task<SocketClient> Told(ClusterScript cluster, HttpDevice phone, SocketClient socket, int i)
    {
        await PushPatiently(phone, $"{{\"changes\":{{\"goals\":[{{\"id\":\"g{i}\",\"updatedAt\":1}}]}}}}");
        try
        {
            while (socket.Cursor < i) await socket.Next();
            return socket;
        }
        catch (System.Threading.Channels.ChannelClosedException)
        {
            Assert.Empty(socket.Faults);
            await socket.DisposeAsync();
            var next = await SocketClient.Open(cluster.Url, "ada");
            await next.Sync(socket.Cursor);
            Assert.Equal(i, next.Cursor);
            return next;
        }
    }

    /// <summary>Until the silo that had the user's coordinator is declared dead, a write is answered 503: try again.</summary>
    private static async Task PushPatiently(HttpDevice phone, string body)
    {
        using var glances = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        for (var tries = 1; ; tries++)
        {
            using var answer = await phone.Send(HttpMethod.Post, "/api/sync/push", body);
            if (answer.IsSuccessStatusCode) return;
            Assert.True((int)answer.StatusCode == 503 && tries < 100, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            await glances.WaitForNextTickAsync();
        }
    }
}
