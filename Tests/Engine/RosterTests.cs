using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>Who is connected, as the reports of the processes tell it.</summary>
public sealed class RosterTests : IDisposable
{
    private readonly RosterStage stage = new();

    public void Dispose() => stage.Dispose();

    [Fact]
    public void Reports_in_any_order_doubled_or_lost_end_in_the_same_connections() =>
        Property.HoldsForSchedules(Play, runs: 300, steps: 60);

    [Fact]
    public async Task A_higher_roster_number_replaces_a_lower_one_and_a_lower_one_is_ignored()
    {
        Assert.False((await stage.Report("p", 1, "a", "b")).IsKnown);
        Assert.True((await stage.Report("p", 2, "b", "c")).IsKnown);
        await stage.Report("p", 1, "a", "b");

        Assert.Equal((2, false, true), (stage.Connections.Count, IsLive("a"), IsLive("c")));
    }

    [Fact]
    public async Task A_connection_that_left_does_not_come_back_by_a_late_report()
    {
        await stage.Report("p", 1, "a");
        await stage.Report("p", 3);
        stage.Clock.Advance(TimeSpan.FromMilliseconds(Limits.RosterSilentMs - 1));
        await stage.Report("p", 2, "a");

        Assert.Equal((0, false, true), (stage.Connections.Count, IsLive("a"), stage.Connections.IsEmpty));
    }

    [Fact]
    public async Task A_process_that_is_silent_for_a_minute_is_gone_and_one_that_renews_stays()
    {
        await stage.Report("silent", 1, "a");
        await stage.Report("renewing", 1, "b");
        stage.Clock.Advance(TimeSpan.FromMilliseconds(Limits.RosterSilentMs - 1));
        await stage.Report("renewing", 2, "b");
        Assert.Equal(2, stage.Connections.Count);
        stage.Clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal((1, false, true), (stage.Connections.Count, IsLive("a"), IsLive("b")));
        Assert.False((await stage.Report("silent", 2, "a")).IsKnown);
        Assert.Equal(2, stage.Connections.Count);
    }

    [Fact]
    public async Task The_own_process_reports_less_often_and_stays_as_long()
    {
        await stage.Report(stage.LocalProcess, 1, "a");
        stage.Clock.Advance(TimeSpan.FromMilliseconds((3 * Limits.RosterRenewMs) - 1));
        Assert.Equal(1, stage.Connections.Count);
        stage.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, stage.Connections.Count);
    }

    [Fact]
    public async Task A_silo_that_is_declared_dead_takes_its_connections_and_no_others()
    {
        await stage.Report("dead", 1, "a");
        await stage.Report("alive", 1, "b");
        stage.Connections.RemoveSilo(RosterStage.SiloOf("dead"));

        Assert.Equal((1, false, true), (stage.Connections.Count, IsLive("a"), IsLive("b")));
        stage.Connections.Tell(new UserNews(RosterStage.User) { NotBeforeMs = 1 });
        Assert.Empty(stage.Gateway("dead").News);
        Assert.Single(stage.Gateway("alive").News);
    }

    private bool IsLive(string device) => stage.Connections.IsLive(new DeviceId(device));

    /// <summary>
    /// Three processes whose connections come and go; their reports wait, overtake each other, come twice or never. The last of each comes.
    /// </summary>
    private static void Play(IReadOnlyList<int> schedule)
    {
        using var stage = new RosterStage();
        var processes = Enumerable.Range(0, 3).Select(i => new Process("p" + i)).ToList();
        var underWay = new List<Roster>();
        void Deliver(Roster roster) => stage.Report(roster).GetAwaiter().GetResult();
        foreach (var step in schedule)
        {
            var random = new Random(step);
            var process = processes[random.Next(processes.Count)];
            if (random.Next(2) == 0) underWay.Add(process.Change(stage, random));
            if (underWay.Count == 0) continue;
            var at = random.Next(underWay.Count);
            if (random.Next(3) > 0) Deliver(underWay[at]);
            if (random.Next(2) == 0) underWay.RemoveAt(at);
        }

        foreach (var process in processes) Deliver(process.Renew(stage));
        underWay.ForEach(Deliver);

        Assert.Equal(processes.Sum(p => p.Connected.Count), stage.Connections.Count);
        Assert.All(processes.SelectMany(p => p.Connected), id => Assert.True(stage.Connections.IsLive(new DeviceId(id))));
    }

    private sealed class Process(string name)
    {
        private long number;
        private int opened;

        public List<string> Connected { get; } = [];

        public Roster Change(RosterStage stage, Random random)
        {
            if (Connected.Count == 0 || (Connected.Count < 3 && random.Next(2) == 0)) Connected.Add($"{name}-{opened++}");
            else Connected.RemoveAt(random.Next(Connected.Count));
            return Renew(stage);
        }

        public Roster Renew(RosterStage stage) =>
            stage.Roster(name, ++number, [.. Connected.Select(id => stage.Connected(id, isNew: id.EndsWith('1')))]);
    }
}
