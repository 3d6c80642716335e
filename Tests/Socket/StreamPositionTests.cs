using Mirubato.Gateway.Socket;
using Mirubato.Gateway.Wire;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>The state machine of one socket's stream, cell by cell and by random runs.</summary>
public sealed class StreamPositionTests
{
    private const string Me = "me";
    private const long Next = 2_000;
    private static readonly byte[] Bytes = new byte[8];
    private static readonly HistoryState History =
        new(new Epoch(new Guid(1, 2, 3, [4, 5, 6, 7, 8, 9, 10, 11])), new Revision(1), new Revision(9), default, default, 0, 0, 0, false);

    private static readonly (string Name, Func<StreamPosition> Make)[] States =
    [
        ("Greeted", () => new StreamPosition(Me)),
        ("InWindow", InWindow),
        ("EndQueued", EndQueued),
        ("Live", Live),
        ("Writing", Writing),
        ("SlotKept", SlotKept),
        ("AckWaits", AckWaits),
        ("OldAckWaits", OldAckWaits),
        ("Full", Full),
        ("Closing", () => After(Live(), position => position.Close(CloseCode.Idle))),
        ("Closed", () => After(Live(), position => position.End())),
    ];

    private static readonly (string Name, Func<StreamPosition, StreamEffects> Happen)[] Events =
    [
        ("Request", position => position.Request(3)),
        ("ReplayUnrequested", position => position.ReplayUnrequested()),
        ("BeginWindow", position => None(() => position.BeginWindow(new CatchUpRun { From = 3 }, History, 3, 9))),
        ("EndWindow", position => position.EndWindow([], Bytes, 9)),
        ("GoLive", position => position.GoLive(new CatchUpRun { IsAsked = true }, 9, Bytes)),
        ("StartOver", position => position.StartOver(new CatchUpRun(), History.Epoch, Bytes)),
        ("Announce", position => position.Announce(Row(Next, by: null))),
        ("AnnounceOwn", position => position.Announce(Row(Next, Me))),
        ("AnnounceOld", position => position.Announce(Row(1, by: null))),
        ("MissAnnouncement", position => position.MissAnnouncement()),
        ("BeginWrite", position => None(() => position.BeginWrite())),
        ("Acknowledge", position => position.Acknowledge(Next, _ => Bytes)),
        ("AcknowledgeOld", position => position.Acknowledge(1, _ => Bytes)),
        ("FailWrite", position => position.FailWrite(Bytes)),
        ("SendUnordered", position => position.SendUnordered(Bytes)),
        ("SendNow", position => position.SendNow(Bytes)),
        ("Take", position => None(() => position.TryTake(out var _))),
        ("Close", position => position.Close(CloseCode.Idle)),
        ("End", position => None(position.End)),
    ];

    public static TheoryData<string> EventNames => [.. Events.Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(EventNames))]
    public void Each_event_does_in_each_state_what_the_table_says(string name)
    {
        var happen = Events.Single(one => one.Name == name).Happen;
        var cells = new List<string>();
        foreach (var (state, make) in States)
        {
            var (without, with) = (Seen(make(), _ => StreamEffects.None), Seen(make(), happen));
            if (with != without) cells.Add($"{name} | {state} | {with}");
        }

        Assert.True(cells.SequenceEqual(StreamPositionTable.Cells(name)), $"The table has other cells than\n{string.Join('\n', cells)}\n");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_copy_that_waited_for_the_catch_up_goes_out_before_its_windows_which_may_hold_a_newer_one(bool isAsked)
    {
        byte[] copy = [1], window = [2];
        var position = new StreamPosition(Me);
        position.SendCopies([], [copy]);
        Assert.False(position.TryTake(out _));

        if (isAsked) position.Request(3);
        else position.ReplayUnrequested();
        position.SendNow(window);

        Assert.True(position.TryTake(out var first));
        Assert.True(position.TryTake(out var second));
        Assert.Equal([copy, window], [first.Bytes.ToArray(), second.Bytes.ToArray()]);
    }

    [Fact]
    public void Any_order_of_events_loses_no_revision_and_overtakes_none() =>
        Property.HoldsForSchedules(schedule => new StreamPositionModel().Run(schedule), runs: 2_000, steps: 80);

    /// <summary>
    /// State and last revision sent | effects | frames the sender takes | frames that follow once the socket was sent all | what is owed.
    /// </summary>
    private static string Seen(StreamPosition position, Func<StreamPosition, StreamEffects> happen)
    {
        var effects = happen(position);
        var state = $"{position.State} {position.WindowAfter(new CatchUpRun())}";
        var frames = Taken(position);
        if (position.IsLive) position.Announce(Row(9_000, by: null));
        else position.EndWindow([], Bytes, 9_000);
        var later = Taken(position);
        return $"{state} | {effects} | {frames} | {later} |{(position.TakeRun().IsAsked ? " End" : "")}";
    }

    private static string Taken(StreamPosition position)
    {
        var frames = new List<string>();
        while (position.TryTake(out var frame)) frames.Add($"{frame.Kind} {frame.Seq}");
        return frames.Count <= 4 ? string.Join(", ", frames) : $"{frames[0]} .. {frames[^1]} ({frames.Count})";
    }

    private static StreamPosition InWindow()
    {
        var position = new StreamPosition(Me);
        position.Request(0);
        position.TakeRun();
        position.TakeRequest();
        position.BeginWindow(new CatchUpRun { From = 0 }, History, 0, 5);
        return position;
    }

    private static StreamPosition EndQueued()
    {
        var position = InWindow();
        position.EndWindow([], Bytes, 5);
        position.GoLive(new CatchUpRun { IsAsked = true }, 5, Bytes);
        return position;
    }

    private static StreamPosition Live() => After(EndQueued(), position => Taken(position));

    private static StreamPosition Writing() => After(Live(), position => position.BeginWrite());

    private static StreamPosition SlotKept() => After(Writing(), position => position.Announce(Row(6, Me)));

    private static StreamPosition AckWaits() => After(Writing(), position => position.Acknowledge(Next, _ => Bytes));

    private static StreamPosition OldAckWaits() => After(Writing(), position =>
    {
        position.Acknowledge(1_500, _ => Bytes);
        position.BeginWrite();
    });

    private static StreamPosition Full() => After(Live(), position =>
    {
        for (var seq = 6; seq < 6 + SocketLimits.OutboxFramesMax; seq++) position.Announce(Row(seq, by: null));
    });

    private static StreamPosition After(StreamPosition position, Action<StreamPosition> happened)
    {
        happened(position);
        return position;
    }

    private static StreamEffects None(Action happen)
    {
        happen();
        return StreamEffects.None;
    }

    private static RowFrame Row(long seq, string? by) => new(Bytes, seq, by, new EntityKey("goal", "g"));
}
