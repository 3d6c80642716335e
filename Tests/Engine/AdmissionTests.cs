using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Engine;

/// <summary>The limit of connections: who is let in, who makes room, and who is turned away.</summary>
public sealed class AdmissionTests : IDisposable
{
    private readonly RosterStage stage = new();

    public void Dispose() => stage.Dispose();

    [Fact]
    public async Task The_eleventh_connection_is_refused_in_any_process_and_the_ten_stay()
    {
        await stage.Report("p", 1, Names("a", 6));
        await stage.Report("q", 1, Names("b", 3));
        Assert.Empty((await stage.Join("q", 2, "tenth", Names("b", 3))).Refused);

        Assert.Equal(["eleventh"], (await stage.Join("p", 2, "eleventh", Names("a", 6))).Refused);
        Assert.Equal(["eleventh"], (await stage.Join("new", 1, "eleventh")).Refused);

        Assert.Equal(new Quotas().ConnectionsMax, stage.Connections.Count);
        Assert.Empty(RosterStage.Evicted(stage.Gateway("p")).Concat(RosterStage.Evicted(stage.Gateway("q"))));
        await stage.Report("p", 3, Names("a", 5));
        Assert.Empty((await stage.Join("new", 2, "eleventh")).Refused);
    }

    [Fact]
    public async Task Two_devices_with_four_tabs_of_two_sockets_each_are_live_where_the_limit_is_sixteen()
    {
        using var wide = new RosterStage(new Quotas(ConnectionsMax: 16));
        await wide.Report("p", 1, Names("laptop", 8));
        await wide.Report("q", 1, Names("phone", 7));

        Assert.Empty((await wide.Join("q", 2, "phone8", Names("phone", 7))).Refused);
        Assert.Equal(["seventeenth"], (await wide.Join("q", 3, "seventeenth", Names("phone", 8))).Refused);
    }

    [Fact]
    public async Task The_longest_silent_connection_of_all_processes_is_evicted_for_a_new_one()
    {
        await stage.Report("p", 1, Names("a", 5));
        await stage.Report("q", 1, Names("b", 5));
        stage.Gateway("p").Silent = () => new SilentConnection("a1", Limits.EvictSilentMs + 1);
        stage.Gateway("q").Silent = () => new SilentConnection("b1", Limits.EvictSilentMs + 2);

        Assert.Empty((await stage.Join("new", 1, "eleventh")).Refused);

        Assert.Equal(["b1"], RosterStage.Evicted(stage.Gateway("q")));
        Assert.Empty(RosterStage.Evicted(stage.Gateway("p")));
        Assert.Equal((10, false, true), (stage.Connections.Count, IsLive("b1"), IsLive("eleventh")));
    }

    [Fact]
    public async Task A_process_that_does_not_answer_has_no_connection_to_evict()
    {
        await stage.Report("p", 1, Names("a", 5));
        await stage.Report("hanging", 1, Names("b", 5));
        stage.Gateway("hanging").Silent = () => throw new TimeoutException();
        Assert.Equal(["eleventh"], (await stage.Join("new", 1, "eleventh")).Refused);
        stage.Gateway("p").Silent = () => new SilentConnection("a1", Limits.EvictSilentMs + 1);

        Assert.Empty((await stage.Join("new", 2, "eleventh")).Refused);
        Assert.Equal(["a1"], RosterStage.Evicted(stage.Gateway("p")));
    }

    [Fact]
    public async Task A_process_that_keeps_reporting_an_evicted_connection_is_not_asked_without_end()
    {
        await stage.Report("p", 1, Names("a", 10));
        var asked = 0;
        stage.Gateway("p").Silent = () => ++asked < 100 ? new SilentConnection("a1", Limits.EvictSilentMs + asked) : null;
        Assert.Empty((await stage.Join("new", 1, "eleventh")).Refused);

        Assert.Equal(["twelfth"], (await stage.Join("new", 2, "twelfth", "eleventh")).Refused);

        Assert.Equal(1 + new Quotas().ConnectionsMax, asked);
        Assert.Equal(new Quotas().ConnectionsMax, stage.Connections.Count);
    }

    [Fact]
    public async Task Two_connections_at_the_same_time_are_both_admitted_if_two_others_are_silent()
    {
        await stage.Report("p", 1, Names("a", 10));
        var both = new Queue<string>(["a1", "a1", "a2"]);
        Task<(bool IsKnown, List<string> Refused)>? second = null;
        var asked = 0;
        stage.Gateway("p").Silent = () =>
        {
            if (asked++ == 0) second = stage.Connections.Take(stage.Roster("q", 1, stage.Connected("twelfth", isNew: true))).AsTask();
            return both.TryDequeue(out var silent) ? new SilentConnection(silent, Limits.EvictSilentMs + 1) : null;
        };

        Assert.Empty((await stage.Join("new", 1, "eleventh")).Refused);
        Assert.Empty((await second!).Refused);

        Assert.Equal((10, false, false), (stage.Connections.Count, IsLive("a1"), IsLive("a2")));
    }

    [Fact]
    public async Task A_report_that_a_newer_one_overtook_while_processes_were_asked_admits_no_connection()
    {
        await stage.Report("p", 1, Names("a", 10));
        // The socket that asked has gone while the others were asked.
        stage.Gateway("p").Silent = () =>
        {
            _ = stage.Connections.Take(stage.Roster("new", 2)).AsTask();
            return new SilentConnection("a1", Limits.EvictSilentMs + 1);
        };

        await stage.Join("new", 1, "gone");

        Assert.Equal((9, false), (stage.Connections.Count, IsLive("gone")));
    }

    [Fact]
    public async Task A_new_activation_that_learns_of_more_than_ten_evicts_the_newest()
    {
        await stage.Report("p", 1, Names("a", 6));
        stage.Clock.Advance(TimeSpan.FromMilliseconds(1));
        var newest = stage.Connected("newest");
        var older = Names("b", 4).Select(id => stage.Connected(id) with { OpenedMs = newest.OpenedMs - 10 });

        var (_, refused) = await stage.Report(stage.Roster("q", 1, [newest, .. older]));

        Assert.Empty(refused);
        Assert.Equal(["newest"], RosterStage.Evicted(stage.Gateway("q")));
        Assert.Empty(RosterStage.Evicted(stage.Gateway("p")));
        Assert.Equal((10, false), (stage.Connections.Count, IsLive("newest")));
    }

    private static string[] Names(string prefix, int count) => [.. Enumerable.Range(1, count).Select(i => prefix + i)];

    private bool IsLive(string device) => stage.Connections.IsLive(new DeviceId(device));
}
