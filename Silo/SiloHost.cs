using Mirubato.Gateway;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Options;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Local;
using Npgsql;
using Orleans.Configuration;
using Orleans.Dashboard;

namespace Mirubato.Silo;

/// <summary>
/// Composes the Gateway with Orleans. Parts start in the order in which they are registered and stop the other way round: schema and member
/// list, silo or client, rooms, and last the listener for clients. So a process that stops closes its sockets first, then finishes its
/// requests, then hands its activations over.
/// </summary>
internal static class SiloHost
{
    private const string DashboardPath = "/dashboard/orleans";
    private static readonly TimeSpan ConnectAgainAfter = TimeSpan.FromSeconds(2);

    public static void Compose(WebApplicationBuilder builder)
    {
        var options = builder.Options();
        var settings = ClusterSettings.Read(builder.Configuration, builder.Environment, options);
        var dashboard = options.AdminSecret is not null;
        builder.Services.AddSharedParts(settings.Postgres, options.Quotas, EmbeddedSql.Read("Membership.sql") + EmbeddedSql.Read("GrainState.Postgres.sql"));
        builder.Services.AddSingleton<IHints, NoHints>();
        if (settings.Mode is SiloMode.Gateway) builder.UseOrleansClient(client => Join(client, settings, dashboard));
        else builder.UseOrleans(silo => Join(silo, settings, dashboard));
        builder.Services.AddSingleton<RoomsHere>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<RoomsHere>());
        builder.Services.AddSingleton<ISyncCoordinators, OrleansCoordinators>();
        builder.Services.AddSingleton(new Surface(settings.Mode is not SiloMode.Silo, app =>
        {
            if (dashboard) app.MapOrleansDashboard(DashboardPath).RequireAuthorization(AdminAccess.Policy);
        }));
    }

    private static void Join(ISiloBuilder silo, ClusterSettings settings, bool dashboard)
    {
        silo.UseAdoNetClustering(members => (members.Invariant, members.ConnectionString) = ("Npgsql", Members(settings.Postgres)));
        silo.UseGrainState(Members(settings.Postgres), sqlitePath: "");
        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (settings.ClusterId, settings.ServiceId));
        silo.ConfigureEndpoints(settings.Address, settings.Port, settings.GatewayPort, listenOnAnyHostAddress: true);
        silo.Configure<SiloMessagingOptions>(messaging => messaging.ResponseTimeout = settings.ResponseWithin);
        silo.Configure<ClusterMembershipOptions>(membership => (membership.ProbeTimeout, membership.NumMissedProbesLimit) = (settings.ProbeEvery, settings.MissedProbes));
        silo.Configure<GrainCollectionOptions>(collection =>
        {
            collection.CollectionAge = settings.IdleFor;
            collection.EnableActivationSheddingOnMemoryPressure = true;
        });
        silo.AddActivityPropagation();
        if (dashboard) silo.AddDashboard();
    }

    private static void Join(IClientBuilder client, ClusterSettings settings, bool dashboard)
    {
        client.UseAdoNetClustering(members => (members.Invariant, members.ConnectionString) = ("Npgsql", Members(settings.Postgres)));
        client.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (settings.ClusterId, settings.ServiceId));
        client.Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = settings.ResponseWithin);
        client.UseConnectionRetryFilter(async (_, cancel) =>
        {
            await Task.Delay(ConnectAgainAfter, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return !cancel.IsCancellationRequested;
        });
        client.AddActivityPropagation();
        if (dashboard) client.AddDashboard();
    }

    /// <summary>What Orleans keeps its member list and the grains' state with: few connections, seldom used.</summary>
    private static string Members(string postgres) =>
        new NpgsqlConnectionStringBuilder(postgres) { ApplicationName = "mirubato-silo", MaxPoolSize = 5, Timeout = 5, CommandTimeout = 10 }.ToString();
}
