using System.Diagnostics.Metrics;

namespace Mirubato.Gateway;

/// <summary>What the Gateway counts beyond what ASP.NET Core and Kestrel count by themselves. No tag names a user.</summary>
internal sealed class GatewayMetrics
{
    public const string Name = "Mirubato.Gateway";

    private readonly Counter<long> refusals;
    private readonly Counter<long> replays;
    private readonly Counter<long> notModified;
    private readonly Counter<long> storeFailures;
    private readonly Counter<long> pulledRows;
    private readonly UpDownCounter<long> sockets;
    private readonly Counter<long> socketRefusals;
    private readonly Counter<long> framesReceived;
    private readonly Counter<long> framesSent;
    private readonly Counter<long> catchUps;
    private readonly Counter<long> overflows;
    private readonly Counter<long> closes;

    public GatewayMetrics(IMeterFactory meters, Http.BodyBudget budget)
    {
        var meter = meters.Create(Name);
        refusals = meter.CreateCounter<long>("mirubato.gateway.refusals", "{request}", "Requests answered with a problem, by code.");
        replays = meter.CreateCounter<long>("mirubato.gateway.replays", "{request}", "Writes answered from a receipt.");
        notModified = meter.CreateCounter<long>("mirubato.gateway.not_modified", "{request}", "Pulls answered 304.");
        storeFailures = meter.CreateCounter<long>("mirubato.gateway.store_failures", "{request}", "Requests that failed on the store, by reason.");
        pulledRows = meter.CreateCounter<long>("mirubato.gateway.pulled_rows", "{row}", "Entities and tombstones sent by pulls.");
        sockets = meter.CreateUpDownCounter<long>("mirubato.gateway.sockets", "{socket}", "Open sockets.");
        socketRefusals = meter.CreateCounter<long>("mirubato.gateway.socket_refusals", "{request}", "Upgrades refused, by status.");
        framesReceived = meter.CreateCounter<long>("mirubato.gateway.frames_received", "{frame}", "Frames from clients.");
        framesSent = meter.CreateCounter<long>("mirubato.gateway.frames_sent", "{frame}", "Frames to clients.");
        catchUps = meter.CreateCounter<long>("mirubato.gateway.catch_ups", "{run}", "Times a socket read from the store.");
        overflows = meter.CreateCounter<long>("mirubato.gateway.overflows", "{socket}", "Times a socket fell behind what was announced.");
        closes = meter.CreateCounter<long>("mirubato.gateway.closes", "{socket}", "Sockets closed from here, by code.");
        meter.CreateObservableGauge("mirubato.gateway.body_bytes", () => budget.TakenBytes, "By", "Unpacked bytes of large bodies in memory.");
    }

    public void Refused(string code) => refusals.Add(1, new KeyValuePair<string, object?>("code", code));

    public void Replayed() => replays.Add(1);

    public void NotModified() => notModified.Add(1);

    public void StoreFailed(string reason) => storeFailures.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Pulled(long rows) => pulledRows.Add(rows);

    public void SocketOpened() => sockets.Add(1);

    public void SocketEnded() => sockets.Add(-1);

    public void SocketRefused(int status) => socketRefusals.Add(1, new KeyValuePair<string, object?>("status", status));

    public void FrameReceived() => framesReceived.Add(1);

    public void FrameSent() => framesSent.Add(1);

    public void CatchUpBegun() => catchUps.Add(1);

    public void SocketOverflowed() => overflows.Add(1);

    public void SocketClosed(int code) => closes.Add(1, new KeyValuePair<string, object?>("code", code));
}
