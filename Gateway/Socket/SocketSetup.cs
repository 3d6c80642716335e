using Mirubato.Gateway.Options;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Socket;

/// <summary>What the socket needs, and where it stands.</summary>
internal static class SocketSetup
{
    public static void Configure(IServiceCollection services)
    {
        services.AddSingleton<Auth.TokenCheck>();
        services.AddSingleton<RecentHeads>();
        services.AddSingleton<SocketContext>();
        services.AddSingleton<LiveRooms>();
        services.AddSingleton<IHintListener>(provider => new HintDoor(provider));
        services.AddSingleton<ConnectionBook>();
        services.AddHostedService(provider => provider.GetRequiredService<ConnectionBook>());
        services.AddSingleton<Tickets>();
        services.AddSingleton(provider => provider.GetRequiredService<GatewayOptions>().Origins);
        services.AddSingleton<Admission>();
        services.AddSingleton(PingTimes.Default);
        services.AddSingleton<SocketEndpoint>();
    }

    public static void Use(WebApplication app)
    {
        app.MapWhen(http => http.Request.Path == SocketEndpoint.Path, branch =>
        {
            branch.UseWebSockets();
            var endpoint = branch.ApplicationServices.GetRequiredService<SocketEndpoint>();
            branch.Run(endpoint.Serve);
        });
        var rooms = app.Services.GetRequiredService<LiveRooms>();
        app.Lifetime.ApplicationStopping.Register(() => _ = rooms.Drain(app.Lifetime.ApplicationStopped));
    }

    /// <summary>The engine sends hints to the rooms, and the rooms read from the engine: whoever is made first must not need the other.</summary>
    private sealed class HintDoor(IServiceProvider services) : IHintListener
    {
        private readonly Lazy<LiveRooms> rooms = new(services.GetRequiredService<LiveRooms>);

        public void Hear(Hint hint) => rooms.Value.Hear(hint);

        public void Missed() => rooms.Value.Missed();

        public void Forgotten() => services.GetRequiredService<ConnectionBook>().RecordAll();
    }
}
