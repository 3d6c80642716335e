using Microsoft.Extensions.DependencyInjection;

namespace Mirubato.Grains;

/// <summary>Keeps the last report of each gateway in memory: a new activation knows them all again within seconds.</summary>
[GrainType("mirubato-gateway-list")]
internal sealed class GatewayListGrain([FromKeyedServices(ServerClock.Key)] TimeProvider time) : Grain, IGatewayListGrain
{
    private readonly Dictionary<string, (GatewayReport Report, long AtMs)> gateways = [];

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    public Task Report(GatewayReport report)
    {
        RemoveSilent();
        if (gateways.Count < Limits.GatewaysMax || gateways.ContainsKey(report.Name)) gateways[report.Name] = (report, NowMs);
        return Task.CompletedTask;
    }

    public Task<GatewayReport[]> List()
    {
        RemoveSilent();
        return Task.FromResult<GatewayReport[]>([.. gateways.Values.Select(one => one.Report)]);
    }

    private void RemoveSilent()
    {
        foreach (var (name, (_, atMs)) in gateways)
        {
            if (NowMs - atMs > Limits.GatewaySilentMs) gateways.Remove(name);
        }
    }
}
