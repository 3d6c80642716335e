namespace Mirubato.Grains.Interfaces;

/// <summary>
/// The processes of the cluster that have no silo, and are therefore on no member list. Each says every few seconds that it is there.
/// Key: 0.
/// </summary>
[Alias("mirubato.gateway-list")]
public interface IGatewayListGrain : IGrainWithIntegerKey
{
    [Alias("report"), ResponseTimeout(CallTimeouts.Roster)]
    Task Report(GatewayReport report);

    /// <summary>Those that reported within <see cref="Limits.GatewaySilentMs"/>, at most <see cref="Limits.GatewaysMax"/>.</summary>
    [Alias("list"), ResponseTimeout(CallTimeouts.Roster)]
    Task<GatewayReport[]> List();
}

/// <param name="Name">The process's own, other at each start.</param>
/// <param name="Machine">The name of the machine it runs on.</param>
/// <param name="Process">What it does.</param>
[GenerateSerializer, Immutable, Alias("mirubato.gateway-report")]
public sealed record GatewayReport(
    [property: Id(0)] string Name, [property: Id(1)] string Machine, [property: Id(2)] ProcessReport Process);
