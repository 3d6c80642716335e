using Mirubato.Gateway.Options;
using Mirubato.Gateway.Rest;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Admin;

/// <summary>The silos of the cluster, each asked for itself. One that does not answer is in the list all the same.</summary>
internal sealed class Cluster(
    IGrainFactory grains, Readiness readiness, GatewayOptions options, [FromKeyedServices(ServerClock.Key)] TimeProvider time)
{
    /// <summary>An operator asks when the store hangs, and must not hang with it.</summary>
    private static readonly TimeSpan ListPatience = TimeSpan.FromSeconds(3);

    private Dictionary<SiloAddress, SiloStatus> members = [];

    private string Now => IsoTime.Text(time.GetUtcNow());

    /// <summary>The member list is in the store. While that is away, the silos are those that were last on it.</summary>
    public async Task<SilosAnswer> Silos(CancellationToken cancel)
    {
        try
        {
            var list = UserCoordinator.Reach(() => grains.GetGrain<IManagementGrain>(0).GetHosts(), cancel);
            members = await list.WaitAsync(ListPatience, cancel);
        }
        catch (Exception away) when (away is StoreUnavailableException or TimeoutException)
        {
            // Each silo is asked for itself.
        }

        var silos = members.Where(member => member.Value is not (SiloStatus.Dead or SiloStatus.None or SiloStatus.Created));
        var gateways = Gateways();
        var answers = await Task.WhenAll(silos.Select(silo => Look(silo.Key, silo.Value, grain => grain.Report())));
        return new SilosAnswer(Now, [.. answers.OrderBy(silo => silo.Address, StringComparer.Ordinal)], await gateways);
    }

    public async Task<ClusterAnswer> Status(SilosAnswer processes)
    {
        var trouble = await readiness.Trouble();
        var silos = processes.Silos;
        var reports = silos.Concat(processes.Gateways).Select(one => one.Report).OfType<SiloReport>().ToList();
        var isWhole = silos.Count > 0 && silos.All(silo => silo is { Ready: true, Draining: false });
        var status = trouble switch
        {
            null => isWhole ? "healthy" : "degraded",
            "read_only" or "full" => "degraded",
            _ => "unhealthy",
        };
        return new ClusterAnswer(
            status, Now, HealthEndpoints.Version, ProtocolVersion.Current,
            new StoreFigures(options.Storage.Postgres is null ? "sqlite" : "postgres", trouble is null, trouble),
            silos.Count, silos.Count(silo => silo.Ready), silos.Count(silo => silo.Draining), Figures.Sum(reports));
    }

    /// <summary>Takes a silo out of service, or back.</summary>
    /// <param name="name">Its name or its address.</param>
    /// <param name="draining">Out, or back.</param>
    /// <param name="cancel">The caller has gone.</param>
    /// <exception cref="RequestRefusedException">There is no such silo.</exception>
    public async Task<SiloAnswer> Drain(string name, bool draining, CancellationToken cancel)
    {
        var members = await UserCoordinator.Reach(() => grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true), cancel);
        foreach (var (address, status) in members)
        {
            var silo = await Look(address, status, grain => grain.Report());
            if (silo.Name != name && silo.Address != name) continue;
            var drained = await UserCoordinator.Reach(() => Grain(address).Drain(new DrainRequest(draining)), cancel);
            return Describe(address, status, drained);
        }

        throw new RequestRefusedException(Problem.NotFound, "There is no such silo; GET /admin/v1/silos lists them.");
    }

    private async Task<IReadOnlyList<SiloAnswer>> Gateways()
    {
        try
        {
            var reports = await grains.GetGrain<IGatewayListGrain>(0).List();
            return [.. reports.OrderBy(one => $"{one.Machine} {one.Name}", StringComparer.Ordinal).Select(Describe)];
        }
        catch (Exception)
        {
            // The silo that knows them is gone; the next one knows them within seconds.
            return [];
        }
    }

    /// <summary>A process without a silo: it holds nothing of users but sockets.</summary>
    private static SiloAnswer Describe(GatewayReport gateway)
    {
        var process = gateway.Process;
        var report = new SiloReport(gateway.Name, IsDraining: false, 0, 0, 0, 0, 0, process);
        return new SiloAnswer(
            gateway.Name, gateway.Machine, "gateway", process.Version, IsoTime.Text(process.StartedMs), IsReady(process), process.Trouble,
            Draining: false, Drained: false, Figures.Sum([report]))
        { Report = report };
    }

    private async Task<SiloAnswer> Look(SiloAddress address, SiloStatus status, Func<ISiloGrain, Task<SiloReport>> ask)
    {
        try
        {
            return Describe(address, status, await ask(Grain(address)));
        }
        catch (Exception)
        {
            // Gone, hung, or of a release before this call.
            return new SiloAnswer(null, $"{address.Endpoint}", "silent", null, null, false, "cluster", false, false, null);
        }
    }

    private ISiloGrain Grain(SiloAddress address) => grains.GetGrain<ISiloGrain>(address.ToParsableString());

    private static SiloAnswer Describe(SiloAddress address, SiloStatus status, SiloReport report)
    {
        var process = report.Process;
        var isDrained = report.IsDraining && process.Sockets == 0 && report.Coordinators == 0;
        return new SiloAnswer(
            report.Name, $"{address.Endpoint}", Word(status), process.Version, IsoTime.Text(process.StartedMs), IsReady(process),
            process.Trouble, report.IsDraining, isDrained, Figures.Sum([report]))
        { Report = report };
    }

    private static bool IsReady(ProcessReport process) => process.Trouble is null or "read_only" or "full";

    private static string Word(SiloStatus status) => status switch
    {
        SiloStatus.Joining => "joining",
        SiloStatus.ShuttingDown or SiloStatus.Stopping => "leaving",
        _ => "active",
    };
}
