using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mirubato.Gateway.Wire;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Local;

namespace Mirubato.Tests.Engine;

/// <summary>The engine of one process, composed as the server composes it, with a listener in the Gateway's place.</summary>
internal sealed class HintsProcess : IAsyncDisposable
{
    private readonly IHost host;
    private int stopped;

    private HintsProcess(IHost host, HintsHeard heard)
    {
        this.host = host;
        Heard = heard;
    }

    public HintsHeard Heard { get; }

    public IConnections Connections => host.Services.GetRequiredService<IConnections>();

    public static async Task<HintsProcess> Start(string? postgres, string sqlitePath = "", TimeProvider? time = null, bool listens = true)
    {
        var heard = new HintsHeard();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddSingleton<IAnswerFormat, WireAnswers>();
        if (listens) builder.Services.AddSingleton<IHintListener>(heard);
        builder.Services.AddLocalEngine(postgres, sqlitePath, new Quotas());
        var host = builder.Build();
        await host.StartAsync();
        return new HintsProcess(host, heard);
    }

    public ISyncCoordinator Of(UserId user) => host.Services.GetRequiredService<ISyncCoordinators>().For(user);

    public void Send(Hint hint) => host.Services.GetRequiredService<IHints>().Send(hint);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref stopped, 1) == 1) return;
        await host.StopAsync();
        if (host is IAsyncDisposable disposable) await disposable.DisposeAsync();
    }
}
