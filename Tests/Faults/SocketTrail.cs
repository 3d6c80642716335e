using System.Text.Json;

namespace Mirubato.Tests.Faults;

/// <summary>A version of an entity that a frame carried.</summary>
internal readonly record struct ReceivedVersion(FaultEntity Entity, long Version);

/// <summary>What one frame did: the versions it carried, and how far its revisions moved the cursor.</summary>
/// <param name="Own">An acknowledgement's revision: its sender knows what it holds.</param>
internal sealed record TrailPoint(DateTimeOffset At, IReadOnlyList<ReceivedVersion> Received, long? Own, long Reached, string Text);

/// <summary>
/// What came on one socket, in order. What a frame alone can show to be wrong is noted at once: a hole, a repeat, a decrease, a reset.
/// Whether it named a revision beyond what had been sent is seen at the end, when the history is known: <see cref="History.Overtaken"/>.
/// </summary>
internal sealed class SocketTrail(string device, Uri gateway, string user, long from, bool asks)
{
    private const int TextMax = 240;

    private readonly List<TrailPoint> points = [];
    private readonly List<string> faults = [];
    private readonly List<(string Key, FaultChange Change)> unanswered = [];
    private long stream = asks ? from : -1;
    private bool isOwn = !asks;
    private bool isAnew;
    private long here = asks ? from : 0;

    public string User => user;

    public string Device => device;

    /// <summary>Where its device's cursor stood when it opened.</summary>
    public long From { get; } = from;

    public bool Asked => asks;

    public long Cursor { get; private set; } = from;

    public IReadOnlyList<string> Faults => faults;

    public IReadOnlyList<TrailPoint> Points => points;

    public void Sent(FaultChange change)
    {
        if (change.SocketKey is not { } key) return;
        lock (unanswered) unanswered.Add((key, change));
    }

    /// <summary>The change this frame answers, where it can be told: without mutation ids it cannot.</summary>
    public FaultChange? Answers(JsonElement frame)
    {
        if (Text(frame, "mutationId") is not { } key) return null;
        lock (unanswered)
        {
            var at = unanswered.FindIndex(one => one.Key == key);
            if (at >= 0)
            {
                var change = unanswered[at].Change;
                unanswered.RemoveAt(at);
                return change;
            }
        }

        Fault("an answer to nothing", frame);
        return null;
    }

    public void Note(JsonElement frame)
    {
        if (Text(frame, "message") == "Sync reset") Fault("a reset", frame);
        var reached = Math.Max(Number(frame, "seq") ?? 0, Number(frame, "lastSeq") ?? 0);
        if (!IsItsOwn(frame)) reached = 0;
        else if (Number(frame, "after") is { } after) Follow(frame, after, reached);
        here = Math.Max(here, reached);
        Cursor = Math.Max(Cursor, reached);
        var received = FaultFrames.Received(frame, user).Select(doc => new ReceivedVersion(doc.Entity, doc.Version)).ToList();
        points.Add(
            new TrailPoint(
                DateTimeOffset.UtcNow, received, Text(frame, "status") is null ? null : Number(frame, "seq"), reached, Cut(frame)));
    }

    /// <summary>
    /// A request that is read more than a second after the welcome finds that the last minute is being told already: as the protocol has
    /// it, but nothing to set a cursor by. What was asked for begins where it was asked from.
    /// </summary>
    private bool IsItsOwn(JsonElement frame) =>
        isOwn |= Number(frame, "after") == From || Text(frame, "message") is "Sync complete" or "No new data to sync";

    private void Follow(JsonElement frame, long after, long reached)
    {
        // The last minute may have begun there, too: then it is sent again, once.
        if (asks && !isAnew && after == From && reached <= stream)
        {
            isAnew = true;
            stream = here = From;
        }

        if (after > Cursor) Fault($"a hole at {Cursor}", frame);
        if (reached <= after) Fault("an empty step", frame);
        if (reached <= stream) Fault($"a repeat at {stream}", frame);
        // A socket that sent no request may receive again what it has.
        if (reached < here) Fault($"a decrease at {here}", frame);
        stream = reached;
    }

    public override string ToString() => $"{device} on {gateway.Port} from {From}{(asks ? "" : ", unasked")}";

    private void Fault(string what, JsonElement frame) =>
        faults.Add($"{this}: {what}: {Cut(frame)}; before it: {string.Join(" | ", points.TakeLast(4).Select(point => point.Text))}");

    private static string? Text(JsonElement frame, string member) =>
        frame.TryGetProperty(member, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    private static long? Number(JsonElement frame, string member) => frame.TryGetProperty(member, out var value) ? value.GetInt64() : null;

    private static string Cut(JsonElement frame)
    {
        var text = frame.GetRawText();
        return text.Length <= TextMax ? text : $"{text[..(TextMax / 2)]} … {text[^(TextMax / 2)..]}";
    }
}
