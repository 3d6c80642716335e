using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Mirubato.Gateway;

/// <summary>What the Gateway counts beyond what ASP.NET Core and Kestrel count by themselves. No tag names a user.</summary>
internal sealed class GatewayMetrics
{
    public const string Name = "Mirubato.Gateway";

    private readonly Counter<long> refusals;
    private readonly Counter<long> storeFailures;
    private readonly Counter<long> socketRefusals;
    private readonly Counter<long> closes;
    private readonly Histogram<double> operationSeconds;
    private readonly Histogram<double> fanOutSeconds;
    private readonly Histogram<double> unsentSeconds;
    private readonly Meter meter;

    public GatewayMetrics(IMeterFactory meters, Http.BodyBudget budget)
    {
        meter = meters.Create(Name);
        refusals = meter.CreateCounter<long>("mirubato.gateway.refusals", "{request}", "Requests answered with a problem, by code.");
        Replays = meter.CreateCounter<long>("mirubato.gateway.replays", "{request}", "Writes answered from a receipt.");
        NotModified = meter.CreateCounter<long>("mirubato.gateway.not_modified", "{request}", "Pulls answered 304.");
        storeFailures = meter.CreateCounter<long>(
            "mirubato.gateway.store_failures", "{request}", "Requests that failed on the store, by reason.");
        PulledRows = meter.CreateCounter<long>("mirubato.gateway.pulled_rows", "{row}", "Entities and tombstones sent by pulls.");
        Sockets = meter.CreateUpDownCounter<long>("mirubato.gateway.sockets", "{socket}", "Open sockets.");
        socketRefusals = meter.CreateCounter<long>("mirubato.gateway.socket_refusals", "{request}", "Upgrades refused, by status.");
        FramesReceived = meter.CreateCounter<long>("mirubato.gateway.frames_received", "{frame}", "Frames from clients.");
        FramesSent = meter.CreateCounter<long>("mirubato.gateway.frames_sent", "{frame}", "Frames to clients.");
        CatchUps = meter.CreateCounter<long>("mirubato.gateway.catch_ups", "{run}", "Times a socket read from the store.");
        Overflows = meter.CreateCounter<long>("mirubato.gateway.overflows", "{socket}", "Times a socket fell behind what was announced.");
        closes = meter.CreateCounter<long>("mirubato.gateway.closes", "{socket}", "Sockets closed from here, by code.");
        operationSeconds = meter.CreateHistogram<double>(
            "mirubato.gateway.operation.duration", "s", "Time an operation took, by operation.", advice: HistogramBounds.Seconds);
        fanOutSeconds = meter.CreateHistogram<double>(
            "mirubato.gateway.fan_out.duration", "s", "Time from a commit until the last socket of this process has been written to.",
            advice: HistogramBounds.Seconds);
        unsentSeconds = meter.CreateHistogram<double>(
            "mirubato.gateway.unsent_age", "s", "Age of the oldest edit that a device had not sent yet, as devices say.",
            advice: HistogramBounds.Ages);
        meter.CreateObservableGauge(
            "mirubato.gateway.body_bytes", () => budget.TakenBytes, "By", "Unpacked bytes of large bodies in memory.");
    }

    public Counter<long> Replays { get; }
    public Counter<long> NotModified { get; }
    public Counter<long> PulledRows { get; }
    public UpDownCounter<long> Sockets { get; }
    public Counter<long> FramesReceived { get; }
    public Counter<long> FramesSent { get; }
    public Counter<long> CatchUps { get; }
    public Counter<long> Overflows { get; }

    /// <summary>What the open sockets of this process have not sent, read when a collector asks.</summary>
    public void Observe(Socket.UserSocketsRegistry registry)
    {
        meter.CreateObservableGauge(
            "mirubato.gateway.outbox_frames", () => registry.Backlog().Frames, "{frame}", "Frames that wait for sockets.");
        meter.CreateObservableGauge("mirubato.gateway.outbox_bytes", () => registry.Backlog().Bytes, "By", "And their bytes.");
        meter.CreateObservableGauge(
            "mirubato.gateway.slowest_lag", () => registry.Backlog().LagMax, "{revision}",
            "How far the slowest socket is behind what was announced.");
    }

    /// <summary>Times an operation until the result is disposed, whatever becomes of it.</summary>
    public OperationTimer Time(string operation) => new(operationSeconds, operation);

    public void FannedOut(TimeSpan elapsed) => fanOutSeconds.Record(elapsed.TotalSeconds);

    public void Unsent(double seconds) => unsentSeconds.Record(seconds);

    public void Refused(string code) => refusals.Add(1, new KeyValuePair<string, object?>("code", code));

    public void StoreFailed(string reason) => storeFailures.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void SocketRefused(int status) => socketRefusals.Add(1, new KeyValuePair<string, object?>("status", status));

    public void SocketClosed(int code) => closes.Add(1, new KeyValuePair<string, object?>("code", code));
}

/// <summary>Records how long something took, when it is disposed.</summary>
internal readonly struct OperationTimer(Histogram<double> seconds, string operation) : IDisposable
{
    private readonly long startedAt = Stopwatch.GetTimestamp();

    public void Dispose() =>
        seconds.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds, new KeyValuePair<string, object?>("operation", operation));
}
