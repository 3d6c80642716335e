using Microsoft.Extensions.Logging.Abstractions;
using Mirubato.Gateway;
using Mirubato.Gateway.Socket;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Engine;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>When a process reports its users' connections to coordinators again.</summary>
public sealed class RosterReportsTests : IDisposable
{
    private const string Here = "this silo";
    private const string Elsewhere = "another silo";

    private readonly FakeClock clock = new();
    private readonly Turns turns = new();
    private readonly List<(UserId User, Roster Roster)> reported = [];
    private readonly UserSocketsRegistry registry;
    private readonly SocketContext context;
    private readonly RosterReports reports;
    private string silo = Here;
    private bool fails;

    public RosterReportsTests()
    {
        registry = new UserSocketsRegistry(clock, NullLogger<UserSocketsRegistry>.Instance);
        context = new SocketContext(null!, null!, clock, null!, null!, null!, NullLogger<SocketSession>.Instance);
        reports = new RosterReports(
            new UserGrains(new FakeGrains(CoordinatorOf)), new FakeGrains(CoordinatorOf), null!, registry, new ProcessIdentity("p", Here), context);
    }

    public void Dispose()
    {
        reports.Dispose();
        registry.Dispose();
    }

    [Fact]
    public async Task Each_report_has_a_higher_number_and_names_the_process()
    {
        var sockets = await Admitted("ada");
        await turns.Run(() => reports.Leave(sockets));

        Assert.True(reported[1].Roster.Number > reported[0].Roster.Number);
        Assert.All(
            reported,
            one => Assert.Equal(("p", Here, (IGatewayObserver)registry), (one.Roster.Process, one.Roster.Silo, one.Roster.Observer)));
    }

    [Theory]
    [InlineData(Here, Limits.RosterRenewMs)]
    [InlineData(Elsewhere, Limits.RosterRenewElsewhereMs)]
    public async Task A_roster_is_renewed_when_it_is_due_and_not_before(string at, int withinMs)
    {
        silo = at;
        await Admitted("ada");
        await Pass(withinMs / 2);
        Assert.Single(reported);
        await Pass(withinMs / 2);
        Assert.Equal(2, reported.Count);
    }

    [Fact]
    public async Task An_activation_that_ended_makes_a_report_due_at_once_for_its_user_alone()
    {
        await Admitted("ada");
        await Admitted("bob");
        await registry.Tell(new UserNews(new UserId("ada")) { ActivationEnded = true });
        await Pass(1_000);

        Assert.Equal(["ada", "bob", "ada"], Users);
    }

    [Fact]
    public async Task A_dead_silo_makes_reports_due_at_once_for_the_users_whose_activations_were_there()
    {
        await Admitted("ada");
        silo = Elsewhere;
        await Admitted("bob");
        reports.RemoveSilo(Elsewhere);
        await Pass(1_000);

        Assert.Equal(["ada", "bob", "bob"], Users);
    }

    [Fact]
    public async Task A_report_that_fails_is_sent_again_after_a_second_until_it_arrives()
    {
        await Admitted("ada");
        fails = true;
        await registry.Tell(new UserNews(new UserId("ada")) { ActivationEnded = true });
        await Pass(1_000);
        await Pass(1_000);
        Assert.Equal(3, reported.Count);
        fails = false;
        await Pass(1_000);
        await Pass(10_000);
        Assert.Equal(4, reported.Count);
    }

    [Fact]
    public async Task A_leave_that_fails_is_sent_again_until_it_arrives()
    {
        var sockets = new UserSockets(new UserId("ada"), context);
        fails = true;
        var leaving = turns.Run(() => reports.Leave(sockets));
        await Pass(1_000);
        fails = false;
        await Pass(1_000);

        await leaving;
        Assert.Equal(3, reported.Count);
    }

    /// <summary>By then the coordinator has forgotten a silent process by itself.</summary>
    [Fact]
    public async Task A_leave_is_given_up_after_a_minute()
    {
        fails = true;
        var leaving = turns.Run(() => reports.Leave(new UserSockets(new UserId("ada"), context)));
        await Pass(Limits.RosterSilentMs);
        await Pass(10_000);

        Assert.Equal(1 + (Limits.RosterSilentMs / 1_000), reported.Count);
        await leaving;
    }

    [Fact]
    public async Task Admission_fails_if_the_coordinator_cannot_be_reached()
    {
        fails = true;
        var refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => Admitted("ada"));
        Assert.False(refused.OutcomeUnknown);
    }

    private List<string> Users => [.. reported.Select(one => one.User.Value)];

    private async Task<UserSockets> Admitted(string user)
    {
        var sockets = registry.Acquire(new UserId(user), context);
        await turns.Run(() => reports.Admit(sockets));
        return sockets;
    }

    /// <summary>Second by second, each with all that it brings.</summary>
    private async Task Pass(int ms)
    {
        for (var passed = 0; passed < ms; passed += 1_000) await turns.Run(() => clock.Advance(TimeSpan.FromMilliseconds(1_000)));
        await turns.Run(() => { });
    }

    private ScriptedEngine CoordinatorOf(UserId user) => new(null!, null!)
    {
        Reporting = roster =>
        {
            reported.Add((user, roster));
            return fails ? throw new TimeoutException() : new RosterReply(silo, IsKnown: true, [], null, null);
        },
    };
}
