using Mirubato.Gateway.Socket;
using Mirubato.Grains;

namespace Mirubato.Silo;

/// <summary>
/// Acts on silos that membership has declared dead: their connections are gone for the coordinators here, and the coordinators that were
/// there need a new report of the connections here, wherever they are now.
/// </summary>
internal sealed class DeadSilos(IClusterMembershipService membership, CoordinatorContext silo, RosterReports reports) : BackgroundService
{
    private readonly HashSet<SiloAddress> handled = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stoppingToken))
        {
            foreach (var (address, member) in snapshot.Members)
            {
                if (member.Status is not SiloStatus.Dead || !handled.Add(address)) continue;
                await silo.Active.RemoveSilo(address.ToParsableString());
                reports.RemoveSilo(address.ToParsableString());
            }
        }
    }
}
