using System.Diagnostics;
using System.Text;
using Mirubato.Bench.Load;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Ws;

/// <summary>
/// One device of a user: it sends entries, times what comes, and checks the order as a careful client would. What is wrong with it is a
/// fault, for the fastest way to deliver is to drop.
/// </summary>
internal sealed class Device(UpgradeRequest upgrade, EventLog log, RequestTemplate entry) : IFrameSink, IDisposable
{
    private readonly RequestTemplate entry = entry.Own();
    private readonly TaskCompletionSource welcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? synced;
    private WsConnection? connection;
    private volatile Histogram deliveries = new();
    private long sentAt;

    /// <summary>Called on the socket's thread as soon as what this device sent is acknowledged.</summary>
    public Action<Device>? OnAck { get; set; }

    /// <summary>Of events of others, from their sending to here.</summary>
    public Histogram Deliveries => deliveries;

    /// <summary>Of its own, from their sending to the acknowledgement; meaningful where one is under way at a time.</summary>
    public Histogram Acks { get; } = new();

    public long Sent { get; private set; }

    public long Acked { get; private set; }

    public long Received { get; private set; }

    public long Frames { get; private set; }

    /// <summary>The highest revision that it has received.</summary>
    public long Cursor { get; private set; }

    public string? Fault { get; private set; }

    /// <summary>Opens the socket and waits for the welcome.</summary>
    public async Task Open(CancellationToken cancel, int receiveBytes = 0)
    {
        connection = await WsConnection.Open(upgrade, cancel, receiveBytes);
        _ = connection.Receive(this);
        await welcome.Task.WaitAsync(cancel);
    }

    /// <summary>Asks for what is behind <paramref name="lastSeq"/>, and waits until it has all come: from then on it is live.</summary>
    public async Task Sync(long lastSeq, CancellationToken cancel)
    {
        synced = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection!.Send(
            ClientFrame.Write(ClientFrame.Text, Encoding.ASCII.GetBytes($"{{\"type\":\"SYNC_REQUEST\",\"lastSeq\":{lastSeq}}}")));
        await synced.Task.WaitAsync(cancel);
    }

    public void SendEntry()
    {
        var number = log.Next();
        entry.Fill(number, TimeProvider.System.GetUtcNow());
        Sent++;
        sentAt = Stopwatch.GetTimestamp();
        log.Sent(number, sentAt, this);
        connection!.Send(entry.Bytes);
    }

    /// <summary>Forgets what was timed so far; it is counted and checked all the same.</summary>
    public void StartTiming() => deliveries = new Histogram();

    public Histogram StopTiming()
    {
        var timed = deliveries;
        deliveries = new Histogram();
        return timed;
    }

    public void Pause() => connection!.Pause();

    public void Resume() => connection!.Resume();

    void IFrameSink.Frame(ReadOnlySpan<byte> json)
    {
        var now = Stopwatch.GetTimestamp();
        Frames++;
        if (FrameText.Begins(json, "SYNC_RESPONSE"u8))
            Answer(json, now);
        else if (FrameText.Begins(json, "ENTRY_"u8) || FrameText.Begins(json, "BULK_SYNC"u8))
            Count(json, now);
        else if (FrameText.Begins(json, "WELCOME"u8))
            welcome.TrySetResult();
        else
            Wrong("Not expected: ", json);
    }

    void IFrameSink.Over(string why)
    {
        Fault ??= why;
        var failure = new BenchFailure(why);
        welcome.TrySetException(failure);
        synced?.TrySetException(failure);
    }

    public void Dispose()
    {
        Fault ??= "";
        connection?.Dispose();
    }

    private void Count(ReadOnlySpan<byte> json, long now)
    {
        var rest = json;
        for (var number = log.Find(ref rest); number >= 0; number = log.Find(ref rest))
        {
            // Who falls behind reads on from the store, and may find a change of its own there: it is allowed to, and not counted.
            if (log.IsOf(this, number))
                continue;
            Received++;
            if (number < log.Count)
                deliveries.RecordStopwatchTicks(now - log.SentAt(number));
        }
        if (FrameText.Last(json, "\"after\":"u8) > Cursor)
            Wrong($"A hole behind {Cursor}: ", json);
        var seq = FrameText.Last(json, FrameText.Begins(json, "BULK"u8) ? "\"lastSeq\":"u8 : "\"seq\":"u8);
        if (seq >= 0 && seq <= Cursor)
            Wrong($"Sent again at {Cursor}: ", json);
        Cursor = Math.Max(Cursor, seq);
    }

    private void Answer(ReadOnlySpan<byte> json, long now)
    {
        Cursor = Math.Max(Cursor, FrameText.First(json, "\"lastSeq\":"u8));
        if (json.IndexOf("\"message\":\"Mutation applied\""u8) < 0)
        {
            synced?.TrySetResult();
            return;
        }
        Acked++;
        Acks.RecordStopwatchTicks(now - sentAt);
        if (json.IndexOf("\"status\":\"created\""u8) < 0)
            Wrong("Not created: ", json);
        OnAck?.Invoke(this);
    }

    private void Wrong(string what, ReadOnlySpan<byte> json) =>
        Fault ??= what + Encoding.UTF8.GetString(json[..Math.Min(300, json.Length)]);
}
