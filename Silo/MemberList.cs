using Npgsql;
using Orleans.Configuration;

namespace Mirubato.Silo;

/// <summary>How processes over one PostgreSQL find each other: by Orleans's member list in that database.</summary>
internal static class MemberList
{
    private static readonly TimeSpan ConnectAgainAfter = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How often a silo writes down that it lives; of what is older than a few of these a silo that starts does not wait for an answer.
    /// </summary>
    private static readonly TimeSpan WriteAliveEvery = TimeSpan.FromSeconds(5);

    public static void Use(ISiloBuilder silo, ClusterOptions options)
    {
        silo.UseAdoNetClustering(members => (members.Invariant, members.ConnectionString) = ("Npgsql", Connection(options.Postgres!)));
        silo.Configure<Orleans.Configuration.ClusterOptions>(
            cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ServiceId));
        // The ports ask for no password unless there is TLS: never on more addresses than the one that others are told.
        silo.ConfigureEndpoints(options.Address, options.Port, options.GatewayPort, listenOnAnyHostAddress: false);
        silo.Configure<ClusterMembershipOptions>(membership =>
        {
            (membership.ProbeTimeout, membership.NumMissedProbesLimit) = (options.ProbeEvery, options.MissedProbes);
            membership.IAmAliveTablePublishTimeout = WriteAliveEvery;
        });
        if (options.Tls is { } tls) silo.UseTls(tls.Configure);
    }

    public static void Use(IClientBuilder client, ClusterOptions options)
    {
        client.UseAdoNetClustering(members => (members.Invariant, members.ConnectionString) = ("Npgsql", Connection(options.Postgres!)));
        client.Configure<Orleans.Configuration.ClusterOptions>(
            cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ServiceId));
        client.UseConnectionRetryFilter(async (_, cancel) =>
        {
            await Task.Delay(ConnectAgainAfter, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return !cancel.IsCancellationRequested;
        });
        if (options.Tls is { } tls) client.UseTls(tls.Configure);
    }

    /// <summary>What Orleans keeps its member list and the grains' state with: few connections, seldom used.</summary>
    public static string Connection(string postgres) =>
        new NpgsqlConnectionStringBuilder(postgres)
        {
            ApplicationName = "mirubato-silo",
            MaxPoolSize = 5,
            Timeout = 5,
            CommandTimeout = 10,
        }.ToString();
}
