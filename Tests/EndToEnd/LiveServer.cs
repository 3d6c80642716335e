using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mirubato.Bench;
using Mirubato.Gateway;
using Mirubato.Silo;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.EndToEnd;

/// <summary>The whole server as it ships, on a free loopback port, over a real store.</summary>
internal sealed class LiveServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private LiveServer(WebApplication app) => this.app = app;

    public Uri Url => new(app.Urls.Single());

    public IServiceProvider Services => app.Services;

    public Task Stop() => app.StopAsync();

    public static Task<LiveServer> Start(string setting, params string[] more) => StartWith(_ => { }, setting, more);

    /// <summary>With other services than it ships with: a clock that the test turns, above all.</summary>
    public static async Task<LiveServer> StartWith(Action<IServiceCollection> services, string setting, params string[] more)
    {
        // Over PostgreSQL a silo has fixed ports, which several of one process must not share.
        string[] ports = setting.Contains("Postgres", StringComparison.Ordinal)
            ? [$"--Silo:Port={FreePort.Next()}", $"--Silo:GatewayPort={FreePort.Next()}"]
            : [];
        string[] args =
        [
            "--urls=http://127.0.0.1:0", "--environment=Test", $"--Auth:Secret={Edge.Secret}", setting,
            "--Limits:RequestsPerSecond=1000000", "--Limits:RequestBurst=1000000", "--Limits:RefusedTokensPerMinute=1000000",
            .. ports, .. more,
        ];
        var app = GatewayHost.Build(args, builder =>
        {
            builder.Logging.ClearProviders();
            SiloHost.Compose(builder);
            services(builder.Services);
        });
        await app.StartAsync();
        return new LiveServer(app);
    }

    public HttpDevice Device(string user, string? device) => new(Url, user, device);

    public async ValueTask DisposeAsync() => await app.DisposeAsync();
}
