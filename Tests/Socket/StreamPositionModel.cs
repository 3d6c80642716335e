using System.Runtime.InteropServices;
using Mirubato.Gateway.Socket;
using Mirubato.Gateway.Wire;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Sockets;

/// <summary>
/// One socket's position between a history that grows, announcements that come late or never, writes of its own, a reader, a sender and a
/// client that checks what it receives. Each step of a schedule is one event.
/// </summary>
internal sealed class StreamPositionModel
{
    private const string Me = "me";
    private const int WindowRows = 4;

    private static readonly Epoch Life = new(new Guid(1, 2, 3, [4, 5, 6, 7, 8, 9, 10, 11]));

    private readonly StreamPosition position = new(Me);
    private readonly StreamPositionClient client = new();
    private readonly List<string> trace = [];
    private readonly Queue<(long First, long Last, string? By)> announcements = new();
    private long head;
    private long announced;

    private bool isWriting;
    private WriteBasis basis;
    private long ownFirst;
    private long ownLast;

    private CatchUpRun? run;
    private Page? page;

    public void Run(IReadOnlyList<int> schedule)
    {
        try
        {
            foreach (var step in schedule) Step(new Random(step));
            Settle();
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"{failure.Message}\n{string.Join('\n', trace)}", failure);
        }
    }

    private void Step(Random random)
    {
        switch (random.Next(16))
        {
            case 0 or 1 or 2:
                Write(random.Next(100) == 0 ? SocketLimits.OutboxFramesMax + 5 : random.Next(1, 4), by: null, isLost: random.Next(6) == 0);
                break;
            case 3 or 4:
                AnnounceNext();
                break;
            case 5 or 6:
                WriteOwn(random);
                break;
            case 7:
                Answer(isFailed: random.Next(4) == 0, random.Next(3) == 0 ? random.NextInt64(head + 1) : null);
                break;
            case 8 or 9 or 10:
                Send(random.Next(1, 4));
                break;
            case 11 or 12 or 13:
                Read();
                break;
            case 14 when random.Next(2) == 0:
                Request(random.Next(2) == 0 ? client.Cursor : random.NextInt64(client.Cursor + 1));
                break;
            case 14:
                Apply("replay", position.ReplayUnrequested());
                break;
            default:
                Apply("unordered", position.SendUnordered(StreamPositionClient.Frame(after: null)));
                break;
        }
    }

    private void Write(int rows, string? by, bool isLost)
    {
        if (!isLost) announcements.Enqueue((head + 1, head + rows, by));
        head += rows;
        trace.Add($"write to {head} by {by}{(isLost ? ", never announced" : "")}");
    }

    /// <summary>As the user's sockets do.</summary>
    private void AnnounceNext()
    {
        if (!announcements.TryDequeue(out var next) || next.Last <= announced) return;
        var isNext = next.First == announced + 1 && next.Last - next.First < SocketLimits.OutboxFramesMax * 2;
        announced = next.Last;
        if (!position.IsLive) return;
        if (!isNext) Apply($"miss {next}", position.MissAnnouncement());
        for (var seq = next.First; isNext && seq <= next.Last; seq++)
        {
            var row = new RowFrame(StreamPositionClient.Frame(seq - 1, seq), seq, next.By, Key(seq));
            Apply($"announce {seq} by {next.By}", position.Announce(row));
        }
    }

    private void WriteOwn(Random random)
    {
        if (!isWriting)
        {
            (isWriting, basis, ownFirst) = (true, position.BeginWrite(), 0);
            trace.Add($"begin write {basis}");
        }
        else if (ownFirst == 0)
        {
            ownFirst = head + 1;
            Write(random.Next(1, 4), basis.Writer, isLost: random.Next(6) == 0);
            ownLast = head;
        }
    }

    private void Answer(bool isFailed, long? unchanged)
    {
        if (!isWriting || (ownFirst == 0 && unchanged is null)) return;
        isWriting = false;
        var (first, last) = ownFirst > 0 ? (ownFirst, ownLast) : (0, unchanged!.Value);
        if (isFailed)
        {
            Apply("fail", position.FailWrite(StreamPositionClient.Frame(after: null)));
            return;
        }

        client.Expect(last);
        Apply($"acknowledge {last}", position.Acknowledge(last, named => StreamPositionClient.Ack(named, first, last)));
    }

    private void Send(int frames)
    {
        for (; frames > 0 && position.IsSending; frames--)
        {
            if (!position.TryTake(out var frame)) return;
            trace.Add($"take {frame.Kind} {frame.Seq}");
            client.Receive(frame);
        }
    }

    private void Request(long lastSeq)
    {
        client.Ask();
        Apply($"request {lastSeq}", position.Request(lastSeq));
    }

    /// <summary>The reader reads a page in one step and queues it in another, so that anything may come between.</summary>
    private void Read()
    {
        if (run is null) return;
        if (page is { } read)
        {
            page = null;
            Queue(read);
        }
        else if (position.IsDrained)
        {
            if (position.TakeRequest() is { } taken)
            {
                run = new CatchUpRun { IsAsked = taken.LastSeq is not null, From = taken.LastSeq ?? client.Cursor };
            }
            var after = position.WindowAfter(run);
            page = new Page(after, Math.Min(head, after + WindowRows), head);
            trace.Add($"read {page}");
        }
    }

    private void Queue(Page read)
    {
        if (run!.From is { } from) client.BeginAt(from);
        position.BeginWindow(run, History(read.Head), read.After, read.End);
        var rows = Enumerable.Range(0, (int)(read.End - read.After)).Select(i => read.After + 1 + i).ToArray();
        if (rows.Length > 2) Apply("window", position.SendNow(StreamPositionClient.Frame(after: null, rows.AsSpan(0, rows.Length - 1))));
        var last = rows.Length > 0 ? StreamPositionClient.Window(read.After, rows) : default;
        Apply($"end window {read.End}", position.EndWindow([], last, read.End));
        if (read.End == read.Head) Join(read.End);
    }

    private void Join(long upTo)
    {
        if (!position.IsLive) announced = Math.Max(announced, upTo);
        if (announced > upTo || !position.CanGoLive) return;
        var ended = run!;
        run = null;
        Apply($"live {upTo}", position.GoLive(ended, upTo, StreamPositionClient.Frame(after: null)));
    }

    private void Apply(string happened, StreamEffects effects)
    {
        trace.Add($"{happened}: {position.State} {position.WindowAfter(new CatchUpRun())} {effects}");
        if (!effects.HasFlag(StreamEffects.StartReader)) return;
        Assert.Null(run);
        run = position.TakeRun();
    }

    private void Settle()
    {
        trace.Add("settle");
        if (position.State is SessionState.Greeted) Request(client.Cursor);
        if (isWriting && ownFirst == 0) WriteOwn(new Random(1));
        Answer(isFailed: false, unchanged: null);
        for (var i = 0; i < 10_000 && (run is not null || announcements.Count > 0 || !position.IsDrained); i++)
        {
            AnnounceNext();
            Send(10);
            Read();
        }

        if (announced < head)
        {
            announced = head;
            Apply("head", position.MissAnnouncement());
        }

        for (var i = 0; i < 10_000 && (run is not null || !position.IsDrained); i++)
        {
            Send(10);
            Read();
        }

        Assert.True(position.IsLive);
        client.AssertComplete(head);
    }

    private static HistoryState History(long last) =>
        new(Life, new Revision(1), new Revision(last), default, default, 0, 0, 0, false);

    private static EntityKey Key(long seq) => new("goal", $"g{seq}");

    private readonly record struct Page(long After, long End, long Head);
}

/// <summary>What a client sees of the stream, and what must always hold for it.</summary>
internal sealed class StreamPositionClient
{
    private const long NoPlace = -1;
    private const long IsAck = -2;

    private readonly HashSet<long> received = [];
    private readonly List<long> acknowledgementsDue = [];
    private long ordered;
    private bool isEndDue;

    public long Cursor { get; private set; }

    public static ReadOnlyMemory<byte> Frame(long? after, params ReadOnlySpan<long> rows) => Encode([after ?? NoPlace, .. rows]);

    public static ReadOnlyMemory<byte> Window(long after, long[] rows) => Frame(after, rows.AsSpan(rows.Length > 2 ? rows.Length - 1 : 0));

    public static ReadOnlyMemory<byte> Ack(long named, long first, long last) => Encode([IsAck, named, first, last]);

    public void Expect(long seq) => acknowledgementsDue.Add(seq);

    public void Ask() => isEndDue = true;

    /// <summary>The stream goes back to where the client asked for.</summary>
    public void BeginAt(long seq) => ordered = seq;

    public void Receive(QueuedFrame frame)
    {
        var content = MemoryMarshal.Cast<byte, long>(frame.Bytes.Span);
        if (content[0] == IsAck)
        {
            ReceiveAck(content[1], content[2], content[3]);
            return;
        }

        foreach (var row in content[1..]) received.Add(row);
        if (content[0] != NoPlace) Assert.True(content[0] <= Cursor, $"a hole: after {content[0]}, cursor {Cursor}");
        if (frame.Kind is FrameKind.Control) return;
        Assert.True(frame.Seq >= ordered, $"{frame.Seq} came after {ordered}");
        ordered = frame.Seq;
        if (frame.Kind is FrameKind.End) isEndDue = false;
        Advance(frame.Seq);
    }

    public void AssertComplete(long head)
    {
        Assert.Equal(head, Cursor);
        Assert.Empty(acknowledgementsDue);
        Assert.False(isEndDue, "a catch-up was asked for and its end never came");
    }

    private void ReceiveAck(long named, long first, long last)
    {
        Assert.True(named >= last, $"an acknowledgement of {last} names {named}");
        Assert.True(acknowledgementsDue.Remove(last), $"{last} was acknowledged twice");
        for (var seq = first; seq > 0 && seq <= last; seq++) received.Add(seq);
        Advance(named);
    }

    private void Advance(long to)
    {
        for (var seq = Cursor + 1; seq <= to; seq++) Assert.True(received.Contains(seq), $"{to} was named before {seq} came");
        Cursor = Math.Max(Cursor, to);
    }

    private static byte[] Encode(ReadOnlySpan<long> content) => MemoryMarshal.AsBytes(content).ToArray();
}
