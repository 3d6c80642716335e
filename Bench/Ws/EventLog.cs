using System.Buffers.Text;
using System.Text;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Ws;

/// <summary>
/// When each event was sent. Its number is in its entry's id, so whoever receives it knows how long it took: sender and receivers share one
/// clock.
/// </summary>
internal sealed class EventLog(string run, int capacity)
{
    private readonly long[] sentAt = new long[capacity];
    private readonly object?[] sentBy = new object?[capacity];
    private readonly byte[] marker = Encoding.ASCII.GetBytes($"\"id\":\"entry_{run}_");
    private int next = -1;

    public string Run => run;

    public int Count => Math.Min(next + 1, capacity);

    /// <exception cref="BenchFailure">More events than there is room for.</exception>
    public int Next()
    {
        var number = Interlocked.Increment(ref next);
        return number < capacity
            ? number
            : throw new BenchFailure($"More than {capacity} events in one scenario: shorten it with --seconds.");
    }

    public void Sent(int number, long at, object by)
    {
        sentBy[number] = by;
        Volatile.Write(ref sentAt[number], at);
    }

    public bool IsOf(object sender, int number) => number < Count && ReferenceEquals(sentBy[number], sender);

    public long SentAt(int number) => Volatile.Read(ref sentAt[number]);

    /// <summary>The next event in a frame, or -1. <paramref name="rest"/> moves behind it.</summary>
    public int Find(ref ReadOnlySpan<byte> rest)
    {
        var at = rest.IndexOf(marker);
        if (at < 0)
            return -1;
        rest = rest[(at + marker.Length)..];
        if (rest.Length < RequestTemplate.NumberWidth || !Utf8Parser.TryParse(rest[..RequestTemplate.NumberWidth], out int number, out _))
            return -1;
        return number;
    }
}
