using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;
using Xunit.Abstractions;

namespace Mirubato.Tests.Sockets;

/// <summary>Three silos over one PostgreSQL, for a whole class: its tests are users of their own.</summary>
public sealed class ThreeSilos(PostgresCluster cluster) : IAsyncLifetime
{
    private readonly List<LiveServer> silos = [];

    internal IReadOnlyList<LiveServer> All => silos;

    public async Task InitializeAsync()
    {
        var setting = $"--Storage:Postgres={await cluster.FreshDatabase()}";
        for (var i = 0; i < 3; i++) silos.Add(await LiveServer.Start(setting));
    }

    public async Task DisposeAsync()
    {
        foreach (var silo in silos) await silo.DisposeAsync();
    }
}

/// <summary>
/// Every call and every socket goes to one of the three, blindly: to a device they are one. <c>MIRUBATO_SEED</c> balances as that run did.
/// </summary>
[Collection(SharesPostgresWithSilos.Name)]
public sealed class BalancedSocketTests : SocketContract, IClassFixture<ThreeSilos>
{
    private readonly ThreeSilos silos;
    private readonly Random random;

    public BalancedSocketTests(ThreeSilos silos, ITestOutputHelper output)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("MIRUBATO_SEED"), out var given) ? given : Random.Shared.Next();
        (this.silos, random) = (silos, new Random(seed));
        output.WriteLine($"MIRUBATO_SEED={seed}");
    }

    private protected override LiveServer Server()
    {
        lock (random) return silos.All[random.Next(silos.All.Count)];
    }
}
