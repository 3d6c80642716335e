using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;
using Xunit.Abstractions;

namespace Mirubato.Tests.Sockets;

/// <summary>Three gateways over one PostgreSQL, for a whole class: its tests are users of their own.</summary>
public sealed class BalancedGateways(PostgresCluster cluster) : IAsyncLifetime
{
    private readonly List<LiveServer> gateways = [];

    internal IReadOnlyList<LiveServer> All => gateways;

    public async Task InitializeAsync()
    {
        var setting = $"--Storage:Postgres={await cluster.FreshDatabase()}";
        for (var i = 0; i < 3; i++) gateways.Add(await LiveServer.Start(setting));
    }

    public async Task DisposeAsync()
    {
        foreach (var gateway in gateways) await gateway.DisposeAsync();
    }
}

/// <summary>Every call and every socket goes to one of the three, blindly: to a device they are one. <c>MIRUBATO_SEED</c> balances as that run did.</summary>
[Collection(SharesPostgres.Name)]
public sealed class BalancedSocketTests : SocketContract, IClassFixture<BalancedGateways>
{
    private readonly BalancedGateways gateways;
    private readonly Random random;

    public BalancedSocketTests(BalancedGateways gateways, ITestOutputHelper output)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("MIRUBATO_SEED"), out var given) ? given : Random.Shared.Next();
        (this.gateways, random) = (gateways, new Random(seed));
        output.WriteLine($"MIRUBATO_SEED={seed}");
    }

    private protected override LiveServer Server()
    {
        lock (random) return gateways.All[random.Next(gateways.All.Count)];
    }

    public override Task InitializeAsync() => Task.CompletedTask;
}
