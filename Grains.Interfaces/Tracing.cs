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

    /// <summary>
    /// Begins a span under <paramref name="parent"/> (default: a trace of its own), which is current until it is disposed. A loop that one
    /// request started also serves later ones, so whatever is current when it begins is not the parent.
    /// </summary>
    /// <param name="name">What is done; the same text every time.</param>
    /// <param name="kind">On which side of a call or message it is.</param>
    /// <param name="parent">Where it was asked for.</param>
    /// <param name="links">Others that asked for it, in traces of their own.</param>
    /// <returns>Null when nobody listens, or the trace is not sampled.</returns>
    public static Activity? Start(
        string name, ActivityKind kind, ActivityContext parent = default, IEnumerable<ActivityContext>? links = null)
    {
        Activity.Current = null;
        return IsOn ? Source.StartActivity(name, kind, parent, links: links?.Select(link => new ActivityLink(link))) : null;
    }

    /// <summary>The same, but what is current stays so: the span ends elsewhere.</summary>
    public static Activity? StartApart(string name, ActivityKind kind, ActivityContext parent)
    {
        if (!IsOn) return null;
        var current = Activity.Current;
        var span = Start(name, kind, parent);
        Activity.Current = current;
        return span;
    }

    /// <summary>The context of the span that is current; default without one.</summary>
    public static ActivityContext Current => Activity.Current?.Context ?? default;

    /// <summary>The current span as a <c>traceparent</c>, to go along with a message; null when nobody listens.</summary>
    public static string? CurrentId => IsOn ? Activity.Current?.Id : null;

    /// <summary>What came along with a message; default for null and for what is no <c>traceparent</c>.</summary>
    public static ActivityContext Parse(string? traceParent) =>
        ActivityContext.TryParse(traceParent, traceState: null, isRemote: true, out var context) ? context : default;
}
