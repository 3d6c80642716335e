using System.Threading.Channels;
using Mirubato.Gateway.Socket;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Sockets;

/// <summary>What a process reports of one user's connections: one report at a time, each with all of them.</summary>
public sealed class RosterStateTests
{
    private readonly RosterState roster = new();
    private readonly Channel<(List<LiveConnection> Connections, TaskCompletionSource<RosterReply> Reply)> sent =
        Channel.CreateUnbounded<(List<LiveConnection>, TaskCompletionSource<RosterReply>)>();

    [Fact]
    public async Task One_report_is_under_way_and_connections_that_come_meanwhile_share_the_next()
    {
        roster.Reserve(Connection("a"));
        var first = Report();
        var (connections, reply) = await sent.Reader.ReadAsync();
        Assert.Equal([("a", true)], Told(connections));
        roster.Reserve(Connection("b"));
        var second = Report();
        roster.Reserve(Connection("c"));
        Assert.Same(second, Report());
        Assert.False(sent.Reader.TryRead(out _));

        reply.SetResult(Reply());
        await first;

        var (next, answer) = await sent.Reader.ReadAsync();
        Assert.Equal([("a", false), ("b", true), ("c", true)], Told(next));
        answer.SetResult(Reply());
        await second;
        Assert.False(sent.Reader.TryRead(out _));
    }

    [Fact]
    public async Task A_connection_that_came_after_a_report_was_sent_is_not_admitted_by_its_answer()
    {
        var early = roster.Reserve(Connection("a"));
        var first = Report();
        var (_, reply) = await sent.Reader.ReadAsync();
        var late = roster.Reserve(Connection("b"));
        reply.SetResult(Reply());
        await first;

        Assert.Equal((true, false), (early.IsAdmitted, late.IsAdmitted));
    }

    [Fact]
    public async Task A_refused_connection_is_not_admitted_and_asks_again_unless_it_has_gone()
    {
        var (admitted, refused) = (roster.Reserve(Connection("a")), roster.Reserve(Connection("b")));
        await Answered(Reply("b"));
        Assert.Equal((true, false), (admitted.IsAdmitted, refused.IsAdmitted));
        Assert.Equal([("a", false), ("b", true)], Told(await Answered(Reply("b"))));

        roster.Remove(refused);
        Assert.Equal([("a", false)], Told(await Answered(Reply())));
    }

    [Fact]
    public async Task A_report_that_failed_admits_no_connection_and_the_next_one_names_all_again()
    {
        var reservation = roster.Reserve(Connection("a"));
        var failing = Report();
        var (_, reply) = await sent.Reader.ReadAsync();
        var next = Report();
        reply.SetException(new TimeoutException());
        await Assert.ThrowsAsync<TimeoutException>(() => failing);
        Assert.False(reservation.IsAdmitted);

        var (connections, answer) = await sent.Reader.ReadAsync();
        Assert.Equal([("a", true)], Told(connections));
        answer.SetResult(Reply());
        await next;
        Assert.True(reservation.IsAdmitted);
    }

    [Fact]
    public async Task A_roster_remembers_the_silo_of_its_coordinator()
    {
        await Answered(Reply() with { Silo = "somewhere" });
        Assert.Equal("somewhere", roster.Silo);
    }

    private Task<RosterReply> Report() => roster.Report(connections =>
    {
        var reply = new TaskCompletionSource<RosterReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(sent.Writer.TryWrite((connections, reply)));
        return reply.Task;
    });

    private async Task<List<LiveConnection>> Answered(RosterReply with)
    {
        var report = Report();
        var (connections, reply) = await sent.Reader.ReadAsync();
        reply.SetResult(with);
        await report;
        return connections;
    }

    private static List<(string, bool)> Told(List<LiveConnection> connections) =>
        [.. connections.Select(one => (one.ConnectionId, one.IsNew))];

    private static LiveConnection Connection(string id) => new(id, null, 0);

    private static RosterReply Reply(params string[] refused) => new("silo", IsKnown: true, [.. refused], null, null);
}
