using Microsoft.AspNetCore.Builder;
using Mirubato.Bench;
using Mirubato.Bench.Bare;
using Mirubato.Bench.Http;
using Mirubato.Bench.Load;
using Mirubato.Bench.Ws;

namespace Mirubato.Tests.Bench;

/// <summary>What stands for the limit of the machine has to pass the same checks as the server, or its figures are of nothing.</summary>
public sealed class BareServerTests : IAsyncLifetime
{
    private readonly WebApplication server = BareServer.Create("http://127.0.0.1:0");

    public Task InitializeAsync() => server.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task Every_scenario_of_requests_that_it_offers_runs_without_an_error()
    {
        var options = new HttpOptions(Target, new string('s', 32), 2, 3, TimeSpan.FromMilliseconds(100), TimeSpan.Zero)
        {
            Seed = 1,
            Run = "test",
        };
        foreach (var scenario in HttpVerb.Chosen(string.Join(',', BareServer.HttpScenarios)))
            Check(await new ClosedLoop(options, scenario, TimeProvider.System).Run(_ => { }, CancellationToken.None));
    }

    [Fact]
    public async Task Every_scenario_of_sockets_that_it_offers_runs_without_an_error()
    {
        var options = new WsOptions(Target, null, new string('s', 32), TimeSpan.FromMilliseconds(100), TimeSpan.Zero)
        {
            Time = TimeProvider.System,
            Seed = 1,
            Run = "test",
        };
        foreach (var scenario in WsVerb.Chosen(string.Join(',', BareServer.WsScenarios), options))
            Check(await scenario.Run(options, _ => { }, CancellationToken.None));
    }

    private Target Target => Target.Parse(server.Urls.Single(), allowRemote: false);

    private static void Check(Figures figures)
    {
        Assert.True(figures.FirstError is null, $"{figures.Name}: {figures.FirstError}");
        Assert.True(figures.Requests > 0, figures.Name);
    }
}
