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

    public GatewayMetrics(IMeterFactory meters, Http.BodyBudget budget)
    {
        var meter = meters.Create(Name);
        refusals = meter.CreateCounter<long>("mirubato.gateway.refusals", "{request}", "Requests answered with a problem, by code.");
        replays = meter.CreateCounter<long>("mirubato.gateway.replays", "{request}", "Writes answered from a receipt.");
        notModified = meter.CreateCounter<long>("mirubato.gateway.not_modified", "{request}", "Pulls answered 304.");
        storeFailures = meter.CreateCounter<long>("mirubato.gateway.store_failures", "{request}", "Requests that failed on the store, by reason.");
        pulledRows = meter.CreateCounter<long>("mirubato.gateway.pulled_rows", "{row}", "Entities and tombstones sent by pulls.");
        meter.CreateObservableGauge("mirubato.gateway.body_bytes", () => budget.TakenBytes, "By", "Unpacked bytes of large bodies in memory.");
    }

    public void Refused(string code) => refusals.Add(1, new KeyValuePair<string, object?>("code", code));

    public void Replayed() => replays.Add(1);

    public void NotModified() => notModified.Add(1);

    public void StoreFailed(string reason) => storeFailures.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Pulled(long rows) => pulledRows.Add(rows);
}
