using Mirubato.Bench;
using Mirubato.Bench.Http;
using Mirubato.Bench.Load;
using Mirubato.Bench.Ws;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Bench;

/// <summary>The ws scenarios, short, against a server of this process: what they count is right, and what is wrong is an error.</summary>
public sealed class WsScenariosTests : IAsyncLifetime
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-bench-").FullName;
    private LiveServer server = null!;

    public async Task InitializeAsync() => server = await LiveServer.Start($"--Storage:SqlitePath={Path.Combine(directory, "bench.db")}");

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Fan_out_reaches_every_other_device_once_and_in_order()
    {
        var figures = await Run(new FanOut(3, 100));

        Assert.Null(figures.FirstError);
        Assert.Equal(30, figures.Requests);
        Assert.InRange(figures.P50Ms, double.Epsilon, figures.MaxMs);
    }

    [Fact]
    public async Task Every_closed_mutation_is_acknowledged_and_reaches_every_device()
    {
        var figures = await Run(new ClosedMutations(3, 2));

        Assert.Null(figures.FirstError);
        Assert.True(figures.Requests >= 6);
        Assert.Equal(2, figures.DeliveriesPerSecond!.Value / figures.PerSecond, 0.001);
    }

    [Fact]
    public async Task Connections_are_opened_and_a_catch_up_is_complete()
    {
        Assert.Null((await Run(new Openings(20))).FirstError);
        Assert.Null((await Run(new CatchUp(1_000))).FirstError);
    }

    [Fact]
    public async Task A_wrong_secret_is_reported_in_one_sentence() =>
        Assert.Contains(
            "--secret", (await Assert.ThrowsAsync<BenchFailure>(() => Run(new FanOut(1, 50), secret: new string('x', 32)))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Only_the_fan_out_goes_from_one_gateway_to_another()
    {
        var two = Options(Edge.Secret) with { Second = Target.Parse("http://127.0.0.1:1", allowRemote: false) };

        Assert.All(WsVerb.Chosen(null, two), scenario => Assert.True(scenario.IsFanOut));
        Assert.Throws<BenchFailure>(() => WsVerb.Chosen("closed-1x2", two));
    }

    private Task<Figures> Run(WsScenario scenario, string secret = Edge.Secret) =>
        scenario.Run(Options(secret), _ => { }, CancellationToken.None);

    private WsOptions Options(string secret) => new(
        Target.Parse(server.Url.ToString(), allowRemote: false), null, secret, TimeSpan.FromSeconds(0.3), TimeSpan.Zero)
    {
        Time = TimeProvider.System,
        Seed = 1,
        Run = "test",
    };
}
