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

    public GatewayMetrics(IMeterFactory meters, Http.BodyBudget budget)
    {
        var meter = meters.Create(Name);
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

    public void Refused(string code) => refusals.Add(1, new KeyValuePair<string, object?>("code", code));

    public void StoreFailed(string reason) => storeFailures.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void SocketRefused(int status) => socketRefusals.Add(1, new KeyValuePair<string, object?>("status", status));

    public void SocketClosed(int code) => closes.Add(1, new KeyValuePair<string, object?>("code", code));
}
