using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mirubato.Gateway;
using Mirubato.Gateway.Socket;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Sockets;

/// <summary>The real gateway with real sockets, before an engine that follows a script.</summary>
internal sealed class ScriptedStage : IAsyncDisposable
{
    public const string User = "ada";

    private readonly WebApplication app;
    private readonly List<SocketClient> sockets = [];

    private ScriptedStage(WebApplication app) => this.app = app;

    public ScriptedEngine Engine => app.Services.GetRequiredService<ScriptedEngine>();

    /// <summary>As the user's coordinator announces it.</summary>
    public void Tell(Func<UserNews, UserNews> news) => Engine.Tell(news(new UserNews(new UserId(User))));

    public void HeadMoved() => Tell(news => news with { Head = Engine.Head });

    public Uri Url => new(app.Urls.Single());

    public UserSocketsRegistry Registry => app.Services.GetRequiredService<UserSocketsRegistry>();

    public SocketTickets Tickets => app.Services.GetRequiredService<SocketTickets>();

    public static async Task<ScriptedStage> Start(Action<WebApplicationBuilder>? with = null)
    {
        var app = GatewayHost.Build(["--urls=http://127.0.0.1:0", "--environment=Test", $"--Auth:Secret={Edge.Secret}"], builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<ScriptedEngine>();
            builder.Services.AddSingleton<IUserReader>(services => services.GetRequiredService<ScriptedEngine>());
            builder.Services.AddSingleton<IGrainFactory>(services => new FakeGrains(_ => services.GetRequiredService<ScriptedEngine>()));
            builder.Services.AddSingleton(ProcessIdentity.Fresh(silo: null));
            builder.Services.AddSingleton<IReadiness>(services => services.GetRequiredService<ScriptedEngine>());
            with?.Invoke(builder);
        });
        await app.StartAsync();
        return new ScriptedStage(app);
    }

    public async Task<SocketClient> Live()
    {
        var socket = await SocketClient.Open(Url, User);
        sockets.Add(socket);
        await socket.Next("WELCOME");
        await socket.Sync();
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var socket in sockets) Assert.Empty(socket.Faults);
        foreach (var socket in sockets) await socket.DisposeAsync();
        await app.DisposeAsync();
    }
}
