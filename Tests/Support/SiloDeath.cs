using Orleans.Configuration;

namespace Mirubato.Tests.Support;

internal static class SiloDeath
{
    /// <summary>A silo that was killed is found dead after some 2 s, and one vote is enough: two silos cannot give two.</summary>
    public static void FindsTheDeadSoon(this ISiloBuilder silo) => silo.Configure<ClusterMembershipOptions>(membership =>
    {
        membership.ProbeTimeout = TimeSpan.FromSeconds(1);
        membership.NumMissedProbesLimit = 2;
        membership.NumVotesForDeathDeclaration = 1;
    });
}
