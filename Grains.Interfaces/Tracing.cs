using System.Diagnostics;

namespace Mirubato.Grains.Interfaces;

/// <summary>
/// The product's own spans, source <c>Mirubato.Sync</c>. They join what the framework's spans leave apart: writes that share a commit, the
/// commit and its broadcast, the broadcast and the sockets. No span names a user.
/// </summary>
public static class Tracing
{
    public const string SourceName = "Mirubato.Sync";

    private static readonly ActivitySource Source = new(SourceName);

    public static bool IsOn => Source.HasListeners();

    /// <summary>Begins a trace, if this one is sampled. Its span is current until it is disposed.</summary>
    /// <param name="name">What is done; the same text every time.</param>
    /// <param name="kind">On which side of a call or message it is.</param>
    public static Activity? StartTrace(string name, ActivityKind kind)
    {
        Activity.Current = null;
        return IsOn ? Source.StartActivity(name, kind) : null;
    }

    /// <summary>
    /// Begins a span under the first of <paramref name="askers"/> that is recorded, linked to the others, which is current until it is
    /// disposed. A loop that one request started also serves later ones, so whatever is current when it begins is not the parent.
    /// </summary>
    /// <param name="name">What is done; the same text every time.</param>
    /// <param name="kind">On which side of a call or message it is.</param>
    /// <param name="askers">Where it was asked for.</param>
    /// <returns>
    /// Null when no caller is recorded: a span without a trace would be sampled by itself, and its purpose would be unknown.
    /// </returns>
    public static Activity? Start(string name, ActivityKind kind, params ReadOnlySpan<ActivityContext> askers)
    {
        Activity.Current = null;
        if (!IsOn) return null;
        var first = IndexOfRecorded(askers);
        if (first < 0) return null;
        var links = new List<ActivityLink>();
        foreach (var other in askers[(first + 1)..]) if (IsRecorded(other)) links.Add(new ActivityLink(other));
        return Source.StartActivity(name, kind, askers[first], links: links);
    }

    /// <summary>The same, but what is current stays so: the span ends elsewhere.</summary>
    public static Activity? StartApart(string name, ActivityKind kind, ActivityContext asker)
    {
        if (!IsOn || !IsRecorded(asker)) return null;
        var current = Activity.Current;
        var span = Start(name, kind, asker);
        Activity.Current = current;
        return span;
    }

    /// <summary>The context of the span that is current; default without one.</summary>
    public static ActivityContext Current => Activity.Current?.Context ?? default;

    /// <summary>The current span as a <c>traceparent</c>, to go along with a message; null when nobody records it.</summary>
    public static string? CurrentId => IsOn && Activity.Current is { Recorded: true } current ? current.Id : null;

    /// <summary>What came along with a message; default for null and for what is no <c>traceparent</c>.</summary>
    public static ActivityContext Parse(string? traceParent) =>
        ActivityContext.TryParse(traceParent, traceState: null, isRemote: true, out var context) ? context : default;

    private static bool IsRecorded(ActivityContext context) => context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded);

    private static int IndexOfRecorded(ReadOnlySpan<ActivityContext> askers)
    {
        for (var i = 0; i < askers.Length; i++) if (IsRecorded(askers[i])) return i;
        return -1;
    }
}
